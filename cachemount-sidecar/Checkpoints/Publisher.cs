using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>
/// Writes the manifest of a checkpoint when, and only when, the store has every file of it as it is on disk. Of several ranks, each says so
/// of its own files.
/// </summary>
/// <param name="root">The directory of the files.</param>
/// <param name="settings">Who writes.</param>
/// <param name="manifests">Where manifests are.</param>
/// <param name="board">What the other ranks say; null when there are none.</param>
/// <param name="book">What the store has.</param>
/// <param name="time">The clock.</param>
internal sealed class Publisher(string root, MountSettings settings, ManifestStore manifests, ShareBoard? board, Book book, TimeProvider time)
{
    /// <summary>Writes or removes the manifest.</summary>
    public async Task<Publication> PublishAsync(Publish operation, CancellationToken ct)
    {
        var checkpoint = operation.Path;
        var (files, outcome) = operation.IsBroken ? ([], Publication.Gone) : FilesOf(checkpoint);
        if (outcome == Publication.NotYet) return outcome;
        if (outcome == Publication.Gone)
        {
            await (board?.WithdrawAsync(checkpoint, ct) ?? Task.CompletedTask);
            await manifests.RemoveAsync(checkpoint, book, ct);
            return outcome;
        }

        if (board is not null) return await board.OfferAsync(checkpoint, files, ct);
        var manifest = new Manifest(checkpoint, settings.Writer, settings.Attempt, time.GetUtcNow(), files.Sum(file => file.Size), files) { Run = settings.Run.Length > 0 ? settings.Run : null };
        return await manifests.WriteAsync(manifest, ct) ? Publication.Published : Publication.Gone;
    }

    /// <summary>Files of a checkpoint, and whether they are what a manifest tells of.</summary>
    public (IReadOnlyList<ManifestFile> Files, Publication Outcome) FilesOf(string checkpoint)
    {
        var found = Found(checkpoint);
        var (files, outcome) = book.Read(ledger => Decide(ledger, checkpoint, found));
        return ([.. files.Select(Dressed)], outcome);
    }

    /// <summary>Whether a file of a checkpoint never gets into the store.</summary>
    public bool IsBroken(string checkpoint) => Found(checkpoint).Keys.Any(path => NameRules.Refusal(path) is not null);

    // What was given up for space looks as its object says.
    private ManifestFile Dressed(ManifestFile file) => Libc.Stat(Path.Combine(root, file.Path)) is { } entry ? file with { Mode = entry.Kind == EntryKind.Link ? null : entry.Mode & 0x1FF, ModifiedNs = entry.File.ModifiedNs, IsLink = entry.Kind == EntryKind.Link } : file;

    /// <summary>What is to be done, from what the store has and what is on disk.</summary>
    internal static (IReadOnlyList<ManifestFile> Files, Publication Outcome) Decide(Ledger ledger, string checkpoint, IReadOnlyDictionary<string, Fingerprint> found)
    {
        var files = new SortedDictionary<string, ManifestFile>(StringComparer.Ordinal);
        foreach (var (path, file) in found)
        {
            if (NameRules.Refusal(path) is not null) return ([], Publication.Gone); // it will never be whole
            if (ledger.PendingOf(path) is not null || ledger.StoredFiles.GetValueOrDefault(path) is not { } stored || !stored.File.Proves(file)) return ([], Publication.NotYet);
            files[path] = Line(ledger, path, stored);
        }

        foreach (var (path, stored) in ledger.StoredFiles.Where(known => NameRules.IsAtOrBelow(known.Key, checkpoint) && !found.ContainsKey(known.Key)))
        {
            if (!stored.IsEvicted) return ([], Publication.Gone); // removed by the user
            files[path] = Line(ledger, path, stored);
        }

        return files.Count == 0 ? ([], Publication.Gone) : ([.. files.Values], Publication.Published);
    }

    private Dictionary<string, Fingerprint> Found(string checkpoint)
    {
        var path = Path.Combine(root, checkpoint);
        return Libc.Stat(path) switch
        {
            { Kind: EntryKind.File } entry => new(StringComparer.Ordinal) { [checkpoint] = entry.File },
            { Kind: EntryKind.Directory } => TreeWalk.Files(root, checkpoint).Where(file => file.Entry.Kind is EntryKind.File or EntryKind.Link).ToDictionary(file => file.Path, file => file.Entry.File, StringComparer.Ordinal),
            _ => [],
        };
    }


    private static ManifestFile Line(Ledger ledger, string path, Stored stored) => new(ledger.KeyOf(path), stored.File.Size, stored.ETag, stored.Crc32);
}
