using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>Writes the manifest of a checkpoint when, and only when, the store has every file of it as it is on disk.</summary>
/// <param name="root">The directory of the files.</param>
/// <param name="writer">Who writes.</param>
/// <param name="attempt">Number of the attempt; 0 when not known.</param>
/// <param name="store">Where the files are.</param>
/// <param name="book">What the store has.</param>
/// <param name="time">The clock.</param>
internal sealed class Publisher(string root, string writer, int attempt, IObjectStore store, Book book, TimeProvider time)
{
    /// <summary>Nodes that write the same checkpoints.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Writes or removes the manifest.</summary>
    public async Task<Publication> PublishAsync(Publish operation, CancellationToken ct)
    {
        var checkpoint = operation.Path;
        var found = Found(checkpoint);
        var (files, outcome) = operation.IsBroken ? ([], Publication.Gone) : book.Read(ledger => Decide(ledger, checkpoint, found));
        if (outcome == Publication.NotYet) return outcome;
        if (outcome == Publication.Gone)
        {
            await store.DeleteAsync(Manifest.KeyOf(checkpoint), ct);
            return outcome;
        }

        var manifest = new Manifest(checkpoint, writer, attempt, time.GetUtcNow(), files.Sum(file => file.Size), files) { Nodes = Nodes };
        await PutAsync(Manifest.KeyOf(checkpoint), ObjectBody.Of(manifest.ToJson()), ct);
        return outcome;
    }

    /// <summary>What is to be done, from what the store has and what is on disk.</summary>
    internal static (IReadOnlyList<ManifestFile> Files, Publication Outcome) Decide(Ledger ledger, string checkpoint, IReadOnlyDictionary<string, Fingerprint> found)
    {
        var files = new SortedDictionary<string, ManifestFile>(StringComparer.Ordinal);
        foreach (var (path, file) in found)
        {
            if (NameRules.Refusal(path) is not null) return ([], Publication.Gone); // it will never be whole
            if (ledger.PendingOf(path) is not null || ledger.StoredFiles.GetValueOrDefault(path) is not { } stored || !stored.File.Proves(file)) return ([], Publication.NotYet);
            files[path] = Line(path, stored);
        }

        foreach (var (path, stored) in ledger.StoredFiles.Where(known => IsIn(known.Key, checkpoint) && !found.ContainsKey(known.Key)))
        {
            if (!stored.IsEvicted) return ([], Publication.Gone); // removed by the user
            files[path] = Line(path, stored);
        }

        return files.Count == 0 ? ([], Publication.Gone) : ([.. files.Values], Publication.Published);
    }

    // A checkpoint is not durable before its manifest can be read.
    private async Task PutAsync(string key, ObjectBody body, CancellationToken ct)
    {
        var stored = await store.PutAsync(key, body, new Dictionary<string, string>(StringComparer.Ordinal), ct);
        if (stored.Crc32 is null) stored = await store.HeadAsync(key, ct);
        if (stored?.Size != body.Length || (stored.Crc32 ?? body.Crc32) != body.Crc32) throw new StoreException(StoreProblem.Unavailable, $"{key} arrived damaged; it is sent again") { Code = "checksum" };
    }

    private Dictionary<string, Fingerprint> Found(string checkpoint)
    {
        var path = Path.Combine(root, checkpoint);
        return Libc.Stat(path) switch
        {
            { Kind: EntryKind.File } entry => new(StringComparer.Ordinal) { [checkpoint] = entry.File },
            { Kind: EntryKind.Directory } => TreeWalk.Files(root, checkpoint).Where(file => file.Entry.Kind == EntryKind.File).ToDictionary(file => file.Path, file => file.Entry.File, StringComparer.Ordinal),
            _ => [],
        };
    }

    private static bool IsIn(string path, string checkpoint) => path == checkpoint || path.StartsWith(checkpoint + "/", StringComparison.Ordinal);

    private static ManifestFile Line(string path, Stored stored) => new(path, stored.File.Size, stored.ETag, stored.Crc32);
}
