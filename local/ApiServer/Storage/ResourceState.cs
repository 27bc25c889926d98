using System.Collections.Immutable;
using System.Threading.Channels;

namespace Trestle.Local.ApiServer;

/// <summary>The live objects of one resource, its recent changes and its watchers. Guarded by the store's lock.</summary>
internal sealed class ResourceState(string resource, long oldestVersion)
{
    private const int MaxEvents = 10_000;
    private const long MaxBytes = 32L << 20;

    private readonly Queue<WatchEvent> _history = new();
    private readonly List<Watcher> _watchers = [];
    private long _historyBytes;

    public string Resource => resource;

    public ImmutableSortedDictionary<string, StoredObject> Items { get; private set; } =
        ImmutableSortedDictionary.Create<string, StoredObject>(StringComparer.Ordinal);

    /// <summary>A watch from an older version than this answers 410.</summary>
    public long OldestVersion { get; private set; } = oldestVersion;

    public void Load(IEnumerable<KeyValuePair<string, StoredObject>> items) => Items = Items.SetItems(items);

    public void Apply(WatchEvent change)
    {
        Items = change.Kind == ChangeKind.Deleted
            ? Items.Remove(change.Current!.Key)
            : Items.SetItem(change.Current!.Key, change.Current);
        Remember(change);
        Deliver(change);
    }

    public void Deliver(WatchEvent change)
    {
        for (var i = _watchers.Count - 1; i >= 0; i--)
        {
            if (!_watchers[i].Offer(change)) _watchers.RemoveAt(i);
        }
    }

    /// <summary>Registers a watcher that first gets what happened after <paramref name="since"/>.</summary>
    public void Register(Watcher watcher, long since)
    {
        foreach (var change in _history)
        {
            if (change.ResourceVersion > since) watcher.Offer(change);
        }

        _watchers.Add(watcher);
    }

    public void Unregister(Watcher watcher) => _watchers.Remove(watcher);

    /// <summary>The objects as they were at a version that is still remembered, or null.</summary>
    public ImmutableSortedDictionary<string, StoredObject>? At(long version)
    {
        if (version < OldestVersion) return null;
        var items = Items;
        foreach (var change in _history.Reverse())
        {
            if (change.ResourceVersion <= version) break;
            items = change.Previous is null ? items.Remove(change.Current!.Key) : items.SetItem(change.Previous.Key, change.Previous);
        }

        return items;
    }

    private void Remember(WatchEvent change)
    {
        _history.Enqueue(change);
        _historyBytes += change.Current!.Json.Length;
        while (_history.Count > MaxEvents || (_historyBytes > MaxBytes && _history.Count > 100))
        {
            var dropped = _history.Dequeue();
            _historyBytes -= dropped.Current!.Json.Length;
            OldestVersion = dropped.ResourceVersion;
        }
    }
}

/// <summary>One client's queue of changes. A client that does not read is cut off rather than kept in memory.</summary>
internal sealed class Watcher
{
    private const int MaxPending = 20_000;
    private readonly Channel<WatchEvent> _channel = Channel.CreateBounded<WatchEvent>(
        new BoundedChannelOptions(MaxPending) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    public required string? Namespace { get; init; }
    public required bool WantsBookmarks { get; init; }

    public ChannelReader<WatchEvent> Changes => _channel.Reader;

    /// <summary>False when the queue is full and the watcher was ended.</summary>
    public bool Offer(WatchEvent change)
    {
        if (change.Kind == ChangeKind.Bookmark ? !WantsBookmarks : Namespace is not null && change.Current!.Namespace != Namespace) return true;
        if (_channel.Writer.TryWrite(change)) return true;
        _channel.Writer.TryComplete();
        return false;
    }

    public void End() => _channel.Writer.TryComplete();
}
