using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Trestle.Local.ApiServer;

/// <summary>
/// All objects in memory behind a journal. One loop commits: it takes every write that waits, checks each against
/// the newest state, appends them to the journal with one flush, and only then shows them to readers and watchers.
/// A batch the disk refuses leaves no trace.
/// </summary>
internal sealed class ObjectStore : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ResourceState> _resources = new(StringComparer.Ordinal);
    private readonly Channel<PendingWrite> _writes = Channel.CreateUnbounded<PendingWrite>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Channel<WatchEvent> _all = Channel.CreateUnbounded<WatchEvent>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Journal? _journal;
    private readonly Task _loop;
    private readonly ITimer _bookmarks;
    private long _version;

    public ObjectStore(Journal? journal, TimeProvider time)
    {
        _journal = journal;
        _version = 1;
        if (journal is not null) Load(journal);
        _loop = Task.Factory.StartNew(CommitLoopAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        _bookmarks = time.CreateTimer(_ => SendBookmarks(), null, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30));
    }

    /// <summary>Every change in commit order, for the one in-process reader (the controllers).</summary>
    public ChannelReader<WatchEvent> AllChanges => _all.Reader;

    public StoredObject? Get(string resource, string key)
    {
        lock (_lock) return _resources.TryGetValue(resource, out var state) ? state.Items.GetValueOrDefault(key) : null;
    }

    /// <summary>The objects of a resource with the store's version at that moment.</summary>
    public (ImmutableSortedDictionary<string, StoredObject> Items, long Version) List(string resource)
    {
        lock (_lock) return (State(resource).Items, _version);
    }

    /// <summary>The objects at an earlier version, or null when it is no longer remembered.</summary>
    public ImmutableSortedDictionary<string, StoredObject>? ListAt(string resource, long version)
    {
        lock (_lock) return version > _version ? null : State(resource).At(version);
    }

    public ImmutableArray<string> Resources { get { lock (_lock) return [.. _resources.Keys]; } }

    /// <summary>Makes the resource known, so that watches may start from the present version.</summary>
    public void Declare(string resource) { lock (_lock) State(resource); }

    /// <summary>Starts a watch after <paramref name="since"/>; the oldest possible version when that is too old.</summary>
    public long? TryWatch(string resource, Watcher watcher, long since)
    {
        lock (_lock)
        {
            var state = State(resource);
            if (since < state.OldestVersion) return state.OldestVersion;
            state.Register(watcher, since);
            return null;
        }
    }

    /// <summary>The present objects and a watch of everything after them.</summary>
    public (ImmutableSortedDictionary<string, StoredObject> Items, long Version) ListAndWatch(string resource, Watcher watcher)
    {
        lock (_lock)
        {
            var state = State(resource);
            state.Register(watcher, _version);
            return (state.Items, _version);
        }
    }

    public void StopWatch(string resource, Watcher watcher)
    {
        lock (_lock) State(resource).Unregister(watcher);
        watcher.End();
    }

    /// <summary>Stores a new object; null when its key is taken.</summary>
    /// <exception cref="StorageFullException">The journal could not be written; nothing was stored.</exception>
    public Task<StoredObject?> CreateAsync(string resource, JsonObject content) => EnqueueAsync(new PendingWrite(resource, null, content, false));

    /// <summary>Stores the next version of an object; null when it is not at <paramref name="expected"/> any more.</summary>
    public Task<StoredObject?> ReplaceAsync(string resource, StoredObject expected, JsonObject content) => EnqueueAsync(new PendingWrite(resource, expected, content, false));

    /// <summary>Removes an object; null when it is not at <paramref name="expected"/> any more. <paramref name="last"/> is what watchers see.</summary>
    public Task<StoredObject?> DeleteAsync(string resource, StoredObject expected, JsonObject last) => EnqueueAsync(new PendingWrite(resource, expected, last, true));

    public async ValueTask DisposeAsync()
    {
        await _bookmarks.DisposeAsync();
        _writes.Writer.TryComplete();
        await _loop;
        _all.Writer.TryComplete();
        _journal?.Dispose();
    }

    private void Load(Journal journal)
    {
        var live = new Dictionary<(string Resource, string Key), StoredObject>();
        foreach (var record in journal.ReadAll())
        {
            _version = Math.Max(_version, record.Version);
            if (record.Json.Length == 0) live.Remove((record.Resource, record.Key));
            else live[(record.Resource, record.Key)] = StoredObject.Load(record.Json.ToArray(), record.Version);
        }

        foreach (var resource in live.GroupBy(o => o.Key.Resource, StringComparer.Ordinal))
            State(resource.Key).Load(resource.Select(o => KeyValuePair.Create(o.Key.Key, o.Value)));
    }

    private ResourceState State(string resource)
    {
        if (!_resources.TryGetValue(resource, out var state)) _resources[resource] = state = new ResourceState(resource, _version);
        return state;
    }

    private Task<StoredObject?> EnqueueAsync(PendingWrite write)
    {
        if (!_writes.Writer.TryWrite(write)) throw new OperationCanceledException("the API server is stopping");
        return write.Done.Task;
    }

    private async Task CommitLoopAsync()
    {
        var batch = new List<PendingWrite>();
        while (await _writes.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < 1024 && _writes.Reader.TryRead(out var write)) batch.Add(write);
            Commit(batch);
        }
    }

    private void Commit(List<PendingWrite> batch)
    {
        var staged = new Dictionary<(string, string), StoredObject?>();
        var changes = new List<(PendingWrite Write, WatchEvent Change)>();
        var version = _version;
        foreach (var write in batch)
        {
            try
            {
                if (Stage(write, staged, version + 1) is { } change)
                {
                    version++;
                    changes.Add((write, change));
                }
            }
            catch (Exception e) // a document that can't be written fails its own request only
            {
                write.Done.TrySetException(e);
            }
        }

        if (changes.Count == 0) return;
        try
        {
            _journal?.Append(changes.Select(c => ToRecord(c.Change)));
        }
        catch (Exception e) // whatever it was, the loop goes on
        {
            foreach (var (write, _) in changes) write.Done.TrySetException(new StorageFullException(e));
            return;
        }

        Publish(changes, version);
        foreach (var (write, change) in changes) write.Done.TrySetResult(change.Current);
        CompactWhenLarge();
    }

    private WatchEvent? Stage(PendingWrite write, Dictionary<(string, string), StoredObject?> staged, long version)
    {
        var metadata = write.Content.Object("metadata");
        var key = StoredObject.KeyOf(metadata.Text("namespace"), metadata.Text("name") ?? "");
        var present = staged.TryGetValue((write.Resource, key), out var earlier) ? earlier : Get(write.Resource, key);
        if (!ReferenceEquals(present, write.Expected))
        {
            write.Done.TrySetResult(null);
            return null;
        }

        var next = StoredObject.From(write.Content, version);
        staged[(write.Resource, key)] = write.Removes ? null : next;
        var kind = write.Removes ? ChangeKind.Deleted : present is null ? ChangeKind.Added : ChangeKind.Modified;
        return new WatchEvent(kind, version, write.Resource, present, next);
    }

    private void Publish(List<(PendingWrite Write, WatchEvent Change)> changes, long version)
    {
        lock (_lock)
        {
            foreach (var (_, change) in changes)
            {
                State(change.Resource).Apply(change);
                _all.Writer.TryWrite(change);
            }

            _version = version;
        }
    }

    private void CompactWhenLarge()
    {
        if (_journal is not { IsLarge: true }) return;
        List<JournalRecord> live;
        long version;
        lock (_lock)
        {
            version = _version;
            live = [.. _resources.Values.SelectMany(r => r.Items.Values.Select(o => new JournalRecord(o.ResourceVersion, r.Resource, o.Key, o.Json)))];
        }

        _journal.Compact(live, version);
    }

    private void SendBookmarks()
    {
        lock (_lock)
        {
            foreach (var state in _resources.Values)
                state.Deliver(new WatchEvent(ChangeKind.Bookmark, _version, state.Resource, null, null));
        }
    }

    private static JournalRecord ToRecord(WatchEvent change) =>
        new(change.ResourceVersion, change.Resource, change.Current!.Key, change.Kind == ChangeKind.Deleted ? default : change.Current.Json);

    private sealed record PendingWrite(string Resource, StoredObject? Expected, JsonObject Content, bool Removes)
    {
        public TaskCompletionSource<StoredObject?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>The disk took no more; the write was not made.</summary>
internal sealed class StorageFullException(Exception inner)
    : IOException("the state could not be written to disk and nothing was changed; free some space and try again", inner);
