namespace Trestle.CacheMount.Fuse;

/// <summary>
/// Brings what several threads find out into the order in which it happened: each takes a number when it gets to know that something
/// will be told, and tells it when it is done. Safe for several threads.
/// </summary>
internal sealed class EventOrder<T> : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, IReadOnlyList<T>> _early = [];
    private readonly System.Collections.Concurrent.BlockingCollection<T> _told = new();
    private long _taken;
    private long _next = 1;

    /// <summary>The next number. Whoever takes one must tell something or nothing.</summary>
    public long Take() => Interlocked.Increment(ref _taken);

    /// <summary>Tells what belongs to a number; others see it after all of the numbers before.</summary>
    public void Tell(long number, params IReadOnlyList<T> events)
    {
        lock (_lock)
        {
            _early[number] = events;
            while (_early.Remove(_next, out var next))
            {
                _next++;
                foreach (var one in next) _told.Add(one);
            }
        }
    }

    /// <summary>Tells something that happens now.</summary>
    public void Tell(params IReadOnlyList<T> events) => Tell(Take(), events);

    /// <summary>Waits for what was told first.</summary>
    public bool TryNext(out T? next, int milliseconds) => _told.TryTake(out next, milliseconds);

    public void Dispose() => _told.Dispose();
}
