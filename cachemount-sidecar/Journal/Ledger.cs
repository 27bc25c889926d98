using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Journal;

/// <summary>What is to be done in the store, in the order of the sequence numbers.</summary>
/// <param name="Sequence">Its place.</param>
/// <param name="Path">Relative to the mount.</param>
internal abstract record Operation(long Sequence, string Path);

/// <summary>The file is to be stored.</summary>
internal sealed record Store(long Sequence, string Path, Fingerprint File) : Operation(Sequence, Path);

/// <summary>The object is to be removed.</summary>
internal sealed record Remove(long Sequence, string Path, bool IsForeign = false) : Operation(Sequence, Path);

/// <summary>The manifest of a checkpoint is to be written, or removed when it is broken.</summary>
internal sealed record Publish(long Sequence, string Path, bool IsBroken = false) : Operation(Sequence, Path);

/// <summary>What the store has of a path.</summary>
/// <param name="Sequence">Of the close that was stored.</param>
/// <param name="File">The file as it was then.</param>
/// <param name="ETag">Of the object.</param>
/// <param name="Crc32">Of the whole content.</param>
/// <param name="IsEvicted">True: there is no local copy any more, by our own doing.</param>
internal sealed record Stored(long Sequence, Fingerprint File, string ETag, uint Crc32, bool IsEvicted);

/// <summary>An upload in parts that has begun.</summary>
/// <param name="UploadId">As the store gave it.</param>
/// <param name="PartSize">Bytes of every part but the last.</param>
/// <param name="Parts">What the store has, by number.</param>
internal sealed record Upload(string UploadId, long PartSize, SortedDictionary<int, StoredPart> Parts);

/// <summary>A part that the store has.</summary>
internal sealed record StoredPart(int Number, string ETag, uint Crc32);

/// <summary>
/// The state that follows from the records of a journal. Applying a record twice changes nothing, and a lost record can make
/// work to be done again but never make a file pass for stored that is not.
/// </summary>
internal sealed class Ledger
{
    private readonly SortedDictionary<long, Operation> _pending = [];
    private readonly Dictionary<long, Upload> _uploads = [];
    private readonly Dictionary<string, string> _abandoned = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Stored> _stored = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _settled = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _published = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (long Sequence, string Key)> _diverted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _checkpoints = new(StringComparer.Ordinal);

    /// <summary>The highest number given out so far.</summary>
    public long LastSequence { get; private set; }

    /// <summary>What is still to be done, in order.</summary>
    public IReadOnlyCollection<Operation> Pending => _pending.Values;

    /// <summary>What the store has, by path.</summary>
    public IReadOnlyDictionary<string, Stored> StoredFiles => _stored;

    /// <summary>Checkpoints whose manifests are in the store, with the sequence of each.</summary>
    public IReadOnlyDictionary<string, long> Published => _published;

    /// <summary>Paths of uploads that lead nowhere any more and are still in the store, by id.</summary>
    public IReadOnlyDictionary<string, string> AbandonedUploads => _abandoned;

    /// <summary>Keys of files that are not stored under their own, by path: somebody else wrote that.</summary>
    public IEnumerable<(string Path, string Key)> Conflicts => _diverted.Select(known => (known.Key, known.Value.Key));

    /// <summary>The key under which a file is stored.</summary>
    public string KeyOf(string path) => _diverted.TryGetValue(path, out var diverted) ? diverted.Key : path;

    /// <summary>The number after the last one.</summary>
    public long NextSequence() => ++LastSequence;

    /// <summary>The operation with this number; null when it is settled.</summary>
    public Operation? Find(long sequence) => _pending.GetValueOrDefault(sequence);

    /// <summary>What is to be done for a file; null when nothing.</summary>
    public Operation? PendingOf(string path) => _files.TryGetValue(path, out var sequence) ? _pending[sequence] : null;

    /// <summary>The publication of a checkpoint that is to be made; null when there is none.</summary>
    public Publish? PublicationOf(string path) => _checkpoints.TryGetValue(path, out var sequence) ? (Publish)_pending[sequence] : null;

    /// <summary>The upload of an operation; null when none has begun.</summary>
    public Upload? UploadOf(long sequence) => _uploads.GetValueOrDefault(sequence);

    /// <summary>Takes a record in.</summary>
    public void Apply(JournalRecord record)
    {
        LastSequence = Math.Max(LastSequence, record.Sequence);
        switch (record)
        {
            case Closed closed:
                Want(new Store(closed.Sequence, closed.Path, closed.File));
                break;
            case Removed removed:
                Want(new Remove(removed.Sequence, removed.Path, removed.IsForeign));
                break;
            case UploadBegun { Sequence: 0 } abandoned: // so a snapshot says it
                _abandoned[abandoned.UploadId] = abandoned.Path;
                break;
            case UploadBegun begun when _pending.ContainsKey(begun.Sequence) && _uploads.GetValueOrDefault(begun.Sequence)?.UploadId != begun.UploadId:
                Abandon(begun.Sequence, begun.Path);
                _abandoned.Remove(begun.UploadId);
                _uploads[begun.Sequence] = new Upload(begun.UploadId, begun.PartSize, []);
                break;
            case UploadEnded ended:
                _abandoned.Remove(ended.UploadId);
                if (_uploads.GetValueOrDefault(ended.Sequence)?.UploadId == ended.UploadId) _uploads.Remove(ended.Sequence);
                break;
            case PartStored part when _uploads.TryGetValue(part.Sequence, out var upload) && upload.UploadId == part.UploadId:
                upload.Parts[part.Number] = new StoredPart(part.Number, part.ETag, part.Crc32);
                break;
            case Completed completed:
                _uploads.Remove(completed.Sequence);
                Settle(completed.Path, completed.Sequence);
                if (_diverted.TryGetValue(completed.Path, out var beside) && beside.Sequence > completed.Sequence) break; // somebody else wrote there since
                if (_stored.GetValueOrDefault(completed.Path) is not { } known || known.Sequence < completed.Sequence)
                {
                    _stored[completed.Path] = new Stored(completed.Sequence, completed.File, completed.ETag, completed.Crc32, IsEvicted: false);
                }

                break;
            case Settled settled:
                Settle(settled.Path, settled.Sequence);
                if (settled.IsGone && _stored.GetValueOrDefault(settled.Path)?.Sequence <= settled.Sequence) _stored.Remove(settled.Path);
                if (settled.IsGone && _diverted.TryGetValue(settled.Path, out var left) && left.Sequence <= settled.Sequence) _diverted.Remove(settled.Path);
                break;
            case Diverted diverted when !_diverted.TryGetValue(diverted.Path, out var before) || before.Sequence <= diverted.Sequence:
                // What the store has under the path's own key is not ours.
                if (_stored.GetValueOrDefault(diverted.Path)?.Sequence < diverted.Sequence) _stored.Remove(diverted.Path);
                _diverted[diverted.Path] = (diverted.Sequence, diverted.Key);
                break;
            case Evicted evicted when _stored.GetValueOrDefault(evicted.Path) is { } stored && stored.Sequence == evicted.Sequence:
                _stored[evicted.Path] = stored with { IsEvicted = true };
                break;
            case CheckpointFinished finished when !_pending.ContainsKey(finished.Sequence) && _published.GetValueOrDefault(finished.Path) < finished.Sequence && _checkpoints.GetValueOrDefault(finished.Path) < finished.Sequence:
                Forget(_checkpoints, finished.Path);
                _checkpoints[finished.Path] = finished.Sequence;
                _pending[finished.Sequence] = new Publish(finished.Sequence, finished.Path, finished.IsBroken);
                break;
            case CheckpointPublished published:
                if (!published.IsGone) _published[published.Path] = Math.Max(_published.GetValueOrDefault(published.Path), published.Sequence);
                else if (_published.GetValueOrDefault(published.Path) <= published.Sequence) _published.Remove(published.Path);
                if (_checkpoints.GetValueOrDefault(published.Path) is var wanted && wanted > 0 && wanted <= published.Sequence) Forget(_checkpoints, published.Path);
                break;
        }
    }

    /// <summary>The fewest records from which this state follows.</summary>
    public IEnumerable<JournalRecord> Snapshot()
    {
        yield return new SequenceGiven(LastSequence);
        foreach (var (path, stored) in _stored)
        {
            yield return new Completed(stored.Sequence, path, stored.File, stored.ETag, stored.Crc32);
            if (stored.IsEvicted) yield return new Evicted(stored.Sequence, path);
        }

        foreach (var (path, diverted) in _diverted) yield return new Diverted(diverted.Sequence, path, diverted.Key);
        foreach (var (id, path) in _abandoned) yield return new UploadBegun(0, path, id, 0);
        foreach (var (path, sequence) in _published) yield return new CheckpointPublished(sequence, path);
        foreach (var operation in _pending.Values)
        {
            yield return operation switch
            {
                Store store => new Closed(store.Sequence, store.Path, store.File),
                Remove remove => new Removed(remove.Sequence, remove.Path, remove.IsForeign),
                _ => new CheckpointFinished(operation.Sequence, operation.Path, operation is Publish { IsBroken: true }),
            };
            if (!_uploads.TryGetValue(operation.Sequence, out var upload)) continue;
            yield return new UploadBegun(operation.Sequence, operation.Path, upload.UploadId, upload.PartSize);
            foreach (var part in upload.Parts.Values) yield return new PartStored(operation.Sequence, operation.Path, upload.UploadId, part.Number, part.ETag, part.Crc32);
        }
    }

    // The newest wish for a path takes the place of the older one. A number that is taken stays with whom it was given to.
    private void Want(Operation operation)
    {
        if (_pending.ContainsKey(operation.Sequence)) return;
        if (_settled.GetValueOrDefault(operation.Path) >= operation.Sequence || _files.GetValueOrDefault(operation.Path) >= operation.Sequence) return;
        Forget(_files, operation.Path);
        _files[operation.Path] = operation.Sequence;
        _pending[operation.Sequence] = operation;
    }

    private void Settle(string path, long sequence)
    {
        _settled[path] = Math.Max(_settled.GetValueOrDefault(path), sequence);
        if (_files.TryGetValue(path, out var wanted) && wanted <= sequence) Forget(_files, path);
    }

    private void Forget(Dictionary<string, long> index, string path)
    {
        if (!index.Remove(path, out var sequence)) return;
        _pending.Remove(sequence);
        Abandon(sequence, path);
    }

    private void Abandon(long sequence, string path)
    {
        if (_uploads.Remove(sequence, out var upload)) _abandoned[upload.UploadId] = path;
    }
}
