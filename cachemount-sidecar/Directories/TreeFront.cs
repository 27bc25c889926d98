using Trestle.CacheMount.Checkpoints;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Directories;

/// <summary>
/// Files of a tree that go to the store when they are closed. What happens to them comes from a source: a watched directory, or our own
/// file system. An event only says where to look: what counts is what is found.
/// </summary>
internal sealed class TreeFront : IDisposable
{
    private readonly Lock _lock = new();
    private readonly string _root;
    private readonly Book _book;
    private readonly FlushEngine _engine;
    private readonly CheckpointRules _rules;
    private readonly FrontSettings _settings;
    private readonly TimeProvider _time;
    private readonly ITreeSource _source;
    private readonly LaterLooks _later;
    private readonly Adoption _adoption;
    private readonly Dictionary<string, string> _refused = new(StringComparer.Ordinal);
    private long _lastScan;
    private bool _lost;
    private bool _isUnsure;
    private Task _synced = Task.CompletedTask;

    public TreeFront(string root, ITreeSource source, Book book, FlushEngine engine, CheckpointRules rules, FrontSettings settings, TimeProvider time)
    {
        (_root, _source, _book, _engine, _rules, _settings, _time) = (root, source, book, engine, rules, settings, time);
        (_later, _adoption) = (new LaterLooks(settings, time), new Adoption(root, book));
    }

    private enum Sight
    {
        Closed,
        Appeared,
        Scanned,
        Settled,
    }

    /// <summary>Files that can't be stored, with the reason.</summary>
    public IReadOnlyDictionary<string, string> Refused
    {
        get
        {
            lock (_lock) return new Dictionary<string, string>(_refused, StringComparer.Ordinal);
        }
    }

    /// <summary>Files that somebody is writing.</summary>
    public int Open
    {
        get
        {
            lock (_lock) return _later.Open;
        }
    }

    /// <summary>Files of temporary names that are held back.</summary>
    public int Held
    {
        get
        {
            lock (_lock) return _later.Held;
        }
    }

    /// <summary>Changes that a look at the whole tree found and no event had told.</summary>
    public long Repairs { get; private set; }

    /// <summary>Checkpoints that were fetched, with the sequence under which they were taken in.</summary>
    public IReadOnlyDictionary<string, long> Adopted => _adoption.Checkpoints;

    /// <summary>Whether other nodes write the same checkpoints: then one may be listed without our saying so.</summary>
    public bool AreShared { get; init; }

    /// <summary>Why not everything is seen as it should; null when it is.</summary>
    public string? Trouble => _source.Trouble ?? (_isUnsure ? $"whether somebody still writes files of other users can't be told here: they count as closed when they were left alone for {_settings.Quiet.TotalSeconds:0} s; run the mount as their user, or with CAP_SETUID" : null);

    /// <summary>Files of which it can't be told whether somebody still writes them, and which are waited for.</summary>
    public int Unsure
    {
        get
        {
            lock (_lock) return _later.Unsure;
        }
    }

    /// <summary>Watches the tree and takes in what is there and not proven clean.</summary>
    public void Start()
    {
        _source.Start(Changed, Tick);
        lock (_lock) Scan(isFirst: true, isForced: false);
    }

    /// <summary>Takes in everything that was closed before this call, also what is held back, and waits until the journal has it.</summary>
    public async Task SettleAsync()
    {
        await _source.DrainAsync();
        Task synced;
        lock (_lock)
        {
            Scan(isFirst: false, isForced: true);
            synced = _synced;
        }

        await synced;
    }

    /// <summary>Waits until everything that is known to have been closed before this call is in the journal.</summary>
    public async Task CatchUpAsync()
    {
        await _source.DrainAsync();
        Task synced;
        lock (_lock) synced = _synced;
        await synced;
    }

    /// <summary>Whether files at or below a path are being written, or held back.</summary>
    public bool IsWaiting(string path)
    {
        lock (_lock) return _later.Any(path);
    }

    /// <summary>Whether the store has, or is about to get, files at or below a path.</summary>
    public bool Knows(string path) => _book.Read(ledger => ledger.StoredFiles.Keys.Concat(ledger.Pending.Where(operation => operation is not Publish).Select(operation => operation.Path)).Any(known => NameRules.IsAtOrBelow(known, path)));

    /// <summary>Takes a file in as it is, though he who has just written it still has it open; false when there is nothing to store.</summary>
    public async Task<bool> StoreNowAsync(string path)
    {
        Task synced;
        lock (_lock)
        {
            if (NameRules.Refusal(path) is not null || Libc.Stat(Path.Combine(_root, path)) is not { Kind: EntryKind.File } entry) return false;
            Take(path, entry, Sight.Settled);
            synced = _synced;
        }

        await synced;
        return true;
    }

    /// <summary>Decides anew about a file.</summary>
    public Task RecheckAsync(string path)
    {
        lock (_lock) Consider(path, Sight.Closed, isForced: false);
        return Task.CompletedTask;
    }

    /// <summary>A checkpoint is finished because the user says so. False: there is nothing.</summary>
    public async Task<bool> CommitAsync(string path)
    {
        await SettleAsync();
        if (Libc.Stat(Path.Combine(_root, path)) is null) return false;
        await _engine.PublishAsync(path);
        return true;
    }

    /// <summary>Gives up the local copy of a file that is clean and that nobody has open; false when it stays.</summary>
    /// <param name="path">The file.</param>
    /// <param name="aside">A free place on the same file system.</param>
    public bool TryEvict(string path, string aside)
    {
        lock (_lock)
        {
            var stored = _book.Read(ledger => ledger.PendingOf(path) is null && ledger.KeyOf(path) == path ? ledger.StoredFiles.GetValueOrDefault(path) : null);
            if (stored is null || Libc.Stat(Path.Combine(_root, path)) is not { Kind: EntryKind.File, Links: 1 } entry) return false;
            _source.Leaving(path, stored, entry);
            if (FileGate.TryRemove(Path.Combine(_root, path), stored.File, aside))
            {
                _ = _book.Record(new Evicted(stored.Sequence, path));
                return true;
            }

            _source.Stayed(path);
            return false;
        }
    }

    /// <summary>Takes a file in that was read from the store; false when there is one of its path already.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="place">Where it is now, on the same file system.</param>
    /// <param name="etag">Of the object.</param>
    /// <param name="crc">CRC-32 of the content.</param>
    public bool TryAdopt(string path, string place, string etag, uint crc)
    {
        lock (_lock) return _adoption.TryTake(path, place, etag, crc);
    }

    /// <summary>Takes in what was fetched from the store, so that it counts as stored; false when something of the user's is in the way.</summary>
    /// <param name="place">Where it was fetched to, on the same file system.</param>
    /// <param name="path">What it is, below that and below the mount.</param>
    /// <param name="files">Its files as the store has them; none was written within a tick of now.</param>
    /// <param name="isCheckpoint">Whether the store has a manifest of it.</param>
    /// <param name="stale">ETag of the version that it may replace, where the store has that no more; null: none.</param>
    public bool TryAdopt(string place, string path, IReadOnlyList<ManifestFile> files, bool isCheckpoint, string? stale = null)
    {
        lock (_lock) return _adoption.TryTake(place, path, files, isCheckpoint, stale);
    }

    /// <summary>Gives up local copies of what somebody else has removed from the store; what has changed since stays, and so does what is open.</summary>
    /// <param name="gone">Paths, and what the store had of them.</param>
    /// <param name="aside">Gives a free place on the same file system.</param>
    /// <returns>How many went.</returns>
    public int Forget(IEnumerable<(string Path, Stored Stored)> gone, Func<string> aside)
    {
        var count = 0;
        foreach (var (path, stored) in gone)
        {
            lock (_lock)
            {
                if (_book.Read(ledger => ledger.PendingOf(path) is not null || ledger.StoredFiles.GetValueOrDefault(path) != stored)) continue;
                if (Libc.Stat(Path.Combine(_root, path)) is not null && !FileGate.TryRemove(Path.Combine(_root, path), stored.File, aside())) continue;
                _ = _book.Record(ledger => [new Settled(stored.Sequence, path, IsGone: true), .. _rules.Of(path) is { } checkpoint && ledger.Published.TryGetValue(checkpoint, out var listed) ? new[] { new CheckpointPublished(listed, checkpoint, IsGone: true) } : []]);
                count++;
            }
        }

        return count;
    }

    public void Dispose() => _source.Dispose();

    private void Changed(TreeChange change, string path)
    {
        lock (_lock)
        {
            switch (change)
            {
                case TreeChange.Closed:
                    Consider(path, Sight.Closed, isForced: false);
                    break;
                case TreeChange.Appeared:
                    Consider(path, Sight.Appeared, isForced: false);
                    break;
                case TreeChange.Removed or TreeChange.MovedAway:
                    Gone(path);
                    break;
                case TreeChange.Forgotten:
                    Break(path);
                    _synced = _engine.RemoveAsync(path, isForeign: true);
                    break;
                case TreeChange.DirectoryMoved when !NameRules.IsTemporary(path):
                    Moved(path);
                    break;
                case TreeChange.Lost:
                    _lost = true;
                    break;
            }
        }
    }

    private void Tick()
    {
        lock (_lock)
        {
            foreach (var path in _later.Due()) Consider(path, Sight.Settled, isForced: false);
            if (_lost || _time.GetElapsedTime(_lastScan) >= _settings.RescanEvery) Scan(isFirst: false, isForced: false);
        }
    }

    private void Scan(bool isFirst, bool isForced)
    {
        (_lost, _lastScan) = (false, _time.GetTimestamp());
        _refused.Clear();
        var found = CloseOrder.Of(TreeWalk.Files(_root), file => file.Path, file => file.Entry.File.ModifiedNs).ToList();
        var unknown = isFirst ? found.Select(file => _rules.Of(file.Path)).OfType<string>().Distinct(StringComparer.Ordinal).Where(name => !Knows(name) && !IsListed(name)).ToList() : [];
        foreach (var (path, _) in found)
        {
            if (Consider(path, Sight.Scanned, isForced) && !isFirst && !isForced) Repairs++;
        }

        foreach (var name in unknown.Where(WasRenamed)) _synced = _engine.PublishAsync(name);
    }

    // While nobody looked: the last thing that happened to it was no new entry, and came after all that happened to its files.
    private bool WasRenamed(string checkpoint) => Libc.Stat(Path.Combine(_root, checkpoint)) is { Kind: EntryKind.Directory } directory && directory.File.ChangedNs > directory.File.ModifiedNs
        && TreeWalk.Files(_root, checkpoint).All(file => file.Entry.File.ChangedNs <= directory.File.ChangedNs && !NameRules.IsTemporary(file.Path));

    // True: it was taken in.
    private bool Consider(string path, Sight sight, bool isForced)
    {
        if (NameRules.Refusal(path) is { } reason) _refused[path] = reason;
        else if (sight == Sight.Settled || isForced || !NameRules.IsTemporary(path)) return Look(path, sight, isForced);
        else _later.Hold(path);
        return false;
    }

    private bool Look(string path, Sight sight, bool isForced)
    {
        var (answer, entry) = FileGate.Look(Path.Combine(_root, path));
        // Whoever closed it may have to wait for a core before the kernel lets go of it; others must not pass it then.
        if (answer == GateAnswer.Busy && (!_source.MayHaveWriter(path) || (sight == Sight.Closed && !_later.IsStillOpen(path)))) SpinWait.SpinUntil(() => ((answer, entry) = FileGate.Look(Path.Combine(_root, path))).answer != GateAnswer.Busy, _settings.LetGo);
        switch (answer)
        {
            case GateAnswer.Gone:
                _later.Remove(path);
                if (Libc.Stat(Path.Combine(_root, path)) is not { Kind: EntryKind.Link } link) return false;
                if (LinkTarget.StaysInside(path, new FileInfo(Path.Combine(_root, path)).LinkTarget ?? "")) return Take(path, link, sight);
                _refused[path] = "it is a symbolic link that leads out of the mount; make it relative, and without .. behind a name";
                return false;
            case GateAnswer.Busy:
                _later.AddOpen(path, wasClosed: sight == Sight.Closed);
                return false;
            case GateAnswer.Unknown when !isForced && IsRecent(entry, _settings.Quiet):
                _isUnsure = true;
                _later.AddUnsure(path);
                return false;
            // It may have been made this moment, by somebody who is about to write.
            case GateAnswer.Free when sight == Sight.Appeared && entry is { File.Size: 0, Links: 1 } && !isForced:
                _later.AddOpen(path);
                return false;
        }

        _later.Remove(path);
        return Take(path, entry, sight);
    }

    private bool Take(string path, Entry entry, Sight sight)
    {
        var isKnown = _book.Read(ledger => sight == Sight.Closed && ledger.PendingOf(path) is not Store
            ? ledger.PendingOf(path) is null && ledger.StoredFiles.GetValueOrDefault(path)?.File.ProvesUntouched(entry.File) == true
            : Recovery.IsKnown(ledger, new FoundFile(path, entry.File))); // what is pending is not read before the tick of its last change is over
        if (!isKnown)
        {
            // Another content of a file that is listed: until it is finished again, the checkpoint is a mix of two.
            var stored = _book.Read(ledger => ledger.StoredFiles.GetValueOrDefault(path));
            if (stored?.File.LooksLike(entry.File) == false) Break(path);
            _synced = _engine.StoreAsync(path, entry.File);
            if (stored?.File.LooksLike(entry.File) == true && _rules.Of(path) is { } listed && IsListed(listed)) _synced = _engine.PublishAsync(listed);
        }

        if (_rules.FinishedBy(path, CheckpointRules.IsPointer(path) ? Pointer(path) : null) is { } finished && (!isKnown || (!IsListed(finished) && WasClosedLast(path, finished)))) _synced = _engine.PublishAsync(finished);
        return !isKnown;
    }

    // Its files were taken in just before.
    private void Moved(string path)
    {
        if (!_rules.IsCheckpoint(path)) return;
        if (!IsListed(path) || _book.Read(ledger => ledger.Pending.Any(operation => operation.Path.StartsWith(path + "/", StringComparison.Ordinal)))) _synced = _engine.PublishAsync(path);
    }

    private void Gone(string path)
    {
        _later.RemoveAll(path);
        var removed = _book.Read(ledger => ledger.StoredFiles.Where(known => !known.Value.IsEvicted).Select(known => known.Key)
            .Concat(ledger.Pending.OfType<Store>().Select(store => store.Path))
            .Where(known => NameRules.IsAtOrBelow(known, path)).Distinct().ToList());
        foreach (var gone in removed.Where(gone => Libc.Stat(Path.Combine(_root, gone)) is null))
        {
            Break(gone);
            _synced = _engine.RemoveAsync(gone);
        }
    }

    // The manifest goes first: a checkpoint that is listed can be read.
    private void Break(string path)
    {
        if (CheckpointOf(path) is { } checkpoint && _book.Read(ledger => (AreShared || ledger.Published.ContainsKey(checkpoint)) && ledger.PublicationOf(checkpoint) is not { IsBroken: true })) _ = _engine.PublishAsync(checkpoint, isBroken: true);
    }

    // One that was committed by hand may have any name.
    private string? CheckpointOf(string path) => _rules.Of(path) ?? _book.Read(ledger => ledger.Published.Keys.FirstOrDefault(known => NameRules.IsAtOrBelow(path, known)));

    // A marker that is older than a file of its checkpoint says nothing of it: the checkpoint is being written anew.
    private bool WasClosedLast(string path, string checkpoint) => _book.Read(ledger =>
    {
        var marker = ledger.PendingOf(path)?.Sequence ?? ledger.StoredFiles[path].Sequence;
        return ledger.StoredFiles.Where(known => _rules.Of(known.Key) == checkpoint).All(known => known.Value.Sequence <= marker)
            && ledger.Pending.OfType<Store>().Where(pending => _rules.Of(pending.Path) == checkpoint).All(pending => pending.Sequence <= marker);
    });

    private bool IsListed(string checkpoint) => _book.Read(ledger => ledger.PublicationOf(checkpoint) is { } publication ? !publication.IsBroken : ledger.Published.ContainsKey(checkpoint));

    private string? Pointer(string path)
    {
        try
        {
            using var file = File.OpenRead(Path.Combine(_root, path));
            var bytes = new byte[CheckpointRules.PointerSize];
            return System.Text.Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private bool IsRecent(Entry entry, TimeSpan time) => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100 - Math.Max(entry.File.ModifiedNs, entry.File.ChangedNs) is var age and >= 0 && age < time.Ticks * 100;
}
