using System.Collections.Concurrent;

namespace Trestle.CacheMount.Flush;

/// <summary>What the flush engine has done so far.</summary>
internal sealed class Counters
{
    private long _bytes;
    private long _files;
    private long _conflicts;

    /// <summary>Bytes that the store has taken.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Files that became visible.</summary>
    public long Files => Interlocked.Read(ref _files);

    /// <summary>Objects that somebody else wrote meanwhile.</summary>
    public long Conflicts => Interlocked.Read(ref _conflicts);

    /// <summary>Tries that failed, by code.</summary>
    public ConcurrentDictionary<string, long> Retries { get; } = new(StringComparer.Ordinal);

    /// <summary>From close to visible, of the last file.</summary>
    public TimeSpan LastDelay { get; private set; }

    public void Took(long bytes) => Interlocked.Add(ref _bytes, bytes);

    public void Conflicted() => Interlocked.Increment(ref _conflicts);

    public void Retried(string code) => Retries.AddOrUpdate(code, 1, (_, count) => count + 1);

    public void Visible(TimeSpan delay)
    {
        Interlocked.Increment(ref _files);
        LastDelay = delay;
    }
}
