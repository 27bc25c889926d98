namespace Trestle.Runtime;

/// <summary>Spreads waits, so that many clients of one server do not come back together.</summary>
internal static class Jitter
{
    /// <summary>Between half and one and a half of the time.</summary>
    public static TimeSpan Around(TimeSpan time) => time * (0.5 + Random.Shared.NextDouble());
}
