namespace Trestle.Bridge.Login;

/// <summary>
/// When a host that could not be reached may be tried again: after 1 s, then twice as long each time up to a minute, each time
/// between half and one and a half of that. Not safe for concurrent use.
/// </summary>
internal sealed class ReconnectDelay(TimeProvider time, Func<TimeSpan, TimeSpan> jitter)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);
    private TimeSpan _next = Shortest;
    private TimeSpan _wait;
    private long _failedAt;

    /// <summary>How long it still has to be left alone; zero when it may be tried.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var left = _wait - time.GetElapsedTime(_failedAt);
            return _wait == TimeSpan.Zero || left < TimeSpan.Zero ? TimeSpan.Zero : left;
        }
    }

    public void Failed()
    {
        _failedAt = time.GetTimestamp();
        _wait = jitter(_next);
        _next = _next * 2 < Longest ? _next * 2 : Longest;
    }

    /// <summary>A command was answered. A login alone is no success: some hosts let in and hang up.</summary>
    public void Succeeded() => (_next, _wait) = (Shortest, TimeSpan.Zero);
}
