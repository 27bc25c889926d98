namespace Trestle.CacheMount.Flush;

/// <summary>Pauses between tries: twice as long every time, up to a limit, and each a random part of that, so that many do not come at once.</summary>
/// <param name="first">Longest first pause.</param>
/// <param name="longest">Longest pause.</param>
internal sealed class Backoff(TimeSpan first, TimeSpan longest)
{
    private TimeSpan _bound = first;

    /// <summary>The next pause.</summary>
    public TimeSpan Next()
    {
        var bound = _bound;
        _bound = bound * 2 < longest ? bound * 2 : longest;
        return bound * ((Random.Shared.NextDouble() * 0.5) + 0.5);
    }
}
