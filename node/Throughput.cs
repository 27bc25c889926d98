namespace Trestle.Node;

/// <summary>Bytes a second, over the last seconds in which any were sent.</summary>
internal sealed class Throughput(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);
    private long _since = time.GetTimestamp();
    private long _bytes;
    private long _rate;

    /// <summary>The rate, from all bytes so far.</summary>
    public long Of(long bytes)
    {
        var elapsed = time.GetElapsedTime(_since);
        if (elapsed < Window) return _rate;
        if (bytes > _bytes) _rate = (long)((bytes - _bytes) / elapsed.TotalSeconds);
        (_since, _bytes) = (time.GetTimestamp(), bytes);
        return _rate;
    }
}
