namespace Trestle.Operator.Launch;

/// <summary>What the sidecar of a rank said of its life.</summary>
/// <param name="Silent">How long the sidecar has seen no output and no touch of the heartbeat file.</param>
/// <param name="Untouched">How long it has seen no touch of the heartbeat file; null when there never was one.</param>
/// <param name="At">When it said so, by the operator's clock.</param>
public sealed record Heartbeat(TimeSpan Silent, TimeSpan? Untouched, DateTimeOffset At)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <summary>How often a rank tells: ten times in the timeout, so that a few may be lost.</summary>
    public static TimeSpan Interval(TimeSpan timeout) => timeout / 10 < Shortest ? Shortest : timeout / 10 > Longest ? Longest : timeout / 10;

    /// <summary>Whether it still says what is: three have not been lost since.</summary>
    public bool IsFresh(TimeSpan timeout, DateTimeOffset now) => now - At <= (Interval(timeout) * 3) + Shortest;
}
