namespace Trestle.CacheMount.Flush;

/// <summary>
/// The order in which operations become visible in the store: that of their sequence numbers, whatever the order in which they get
/// ready. One is committed at a time, and only when all before it are committed or dropped. Not safe for several threads.
/// </summary>
internal sealed class CommitOrder
{
    private readonly SortedDictionary<long, bool> _ready = [];

    /// <summary>Operations that are neither committed nor dropped.</summary>
    public int Count => _ready.Count;

    /// <summary>The first of them; null when there is none.</summary>
    public long? First => _ready.Count == 0 ? null : _ready.First().Key;

    /// <summary>The one to commit now; null when the first is not ready.</summary>
    public long? Next => _ready.Count > 0 && _ready.First() is { Value: true } first ? first.Key : null;

    /// <summary>Takes an operation in.</summary>
    public void Add(long sequence) => _ready.TryAdd(sequence, false);

    /// <summary>All its bytes are in the store; false when it was dropped.</summary>
    public bool Ready(long sequence)
    {
        if (!_ready.ContainsKey(sequence)) return false;
        _ready[sequence] = true;
        return true;
    }

    /// <summary>It is visible, or will never be.</summary>
    public bool Remove(long sequence) => _ready.Remove(sequence);

    /// <summary>Whether everything up to this number is done.</summary>
    public bool IsDoneUpTo(long sequence) => First is not { } first || first > sequence;
}
