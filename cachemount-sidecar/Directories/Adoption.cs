using System.Collections.Concurrent;
using Trestle.CacheMount.Checkpoints;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Directories;

/// <summary>
/// Puts what was fetched from the store into the tree, so that it counts as stored. Nothing of the user's is replaced or followed out of
/// the tree. Whoever calls holds the front's lock.
/// </summary>
/// <param name="root">The tree.</param>
/// <param name="book">What is stored.</param>
internal sealed class Adoption(string root, Book book)
{
    private readonly ConcurrentDictionary<string, long> _checkpoints = new(StringComparer.Ordinal);

    /// <summary>Checkpoints that were taken in, with the sequence under which they were.</summary>
    public IReadOnlyDictionary<string, long> Checkpoints => _checkpoints;

    /// <summary>Takes a single file in; false when there is one of its path already.</summary>
    public bool TryTake(string path, string place, string etag, uint crc)
    {
        if (!Libc.TryMove(place, Path.Combine(root, path)) || Libc.Stat(Path.Combine(root, path)) is not { } entry) return false;
        _ = book.Record(ledger => [new Completed(ledger.NextSequence(), path, entry.File, etag, crc)]);
        return true;
    }

    /// <summary>Takes in what was fetched; false when something of the user's is in the way.</summary>
    /// <param name="place">Where it was fetched to, on the same file system.</param>
    /// <param name="path">What it is, below that and below the mount.</param>
    /// <param name="files">Its files as the store has them; none was written within a tick of now.</param>
    /// <param name="isCheckpoint">Whether the store has a manifest of it.</param>
    /// <param name="stale">ETag of the version that it may replace, where the store has that no more; null: none.</param>
    public bool TryTake(string place, string path, IReadOnlyList<ManifestFile> files, bool isCheckpoint, string? stale)
    {
        if (!IsFree(path, isCheckpoint, stale) || !TryPut(Path.Combine(place, path), Path.Combine(root, path))) return false;
        var arrived = files.Select(file => (File: file, Entry: Libc.Stat(Path.Combine(root, file.Path)))).Where(file => file.Entry is { Kind: EntryKind.File or EntryKind.Link }).ToList();
        var names = files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        _ = book.Record(ledger =>
        {
            var sequence = ledger.NextSequence();
            if (isCheckpoint) _checkpoints[path] = sequence;
            var replaced = ledger.StoredFiles.Keys.Where(known => known.StartsWith(path + "/", StringComparison.Ordinal) && !names.Contains(known)).ToList();
            return
            [
                .. replaced.Select(known => new Settled(sequence, known, IsGone: true)),
                .. arrived.Select(file => new Completed(sequence, file.File.Path, file.Entry!.Value.File, file.File.ETag, file.File.Crc32)),
                .. isCheckpoint ? new[] { new CheckpointPublished(sequence, path) } : [],
            ];
        });
        return true;
    }

    // Only what the store has or had as it is may be replaced: by a whole checkpoint, or by what took its place there.
    private bool IsFree(string path, bool isCheckpoint, string? stale)
    {
        if (Libc.Stat(Path.Combine(root, path)) is not { } there) return true;
        if (!isCheckpoint && (stale is null || there.Kind == EntryKind.Directory || book.Read(ledger => ledger.StoredFiles.GetValueOrDefault(path)?.ETag) != stale)) return false;
        if (there.Kind == EntryKind.Other) return false;
        var found = there.Kind != EntryKind.Directory ? [(path, there)] : TreeWalk.Files(root, path).ToList();
        return book.Read(ledger => ledger.PublicationOf(path) is null && found.TrueForAll(file => file.Item2.Kind is EntryKind.File or EntryKind.Link && ledger.PendingOf(file.Item1) is null && Recovery.IsKnown(ledger, new FoundFile(file.Item1, file.Item2.File))));
    }

    private bool TryPut(string from, string to)
    {
        // A link of the user's must not lead out of the mount.
        for (var above = Path.GetDirectoryName(to)!; above.Length > root.Length; above = Path.GetDirectoryName(above)!)
        {
            if (Libc.Stat(above) is { Kind: not EntryKind.Directory }) return false;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        if (Libc.Stat(to) is not null) Libc.ExchangeEntries(from, to);
        else if (!Libc.TryMove(from, to)) return false;
        return true;
    }
}
