using System.Globalization;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>Manifests in the store. One of a newer attempt is neither replaced nor removed, nor is one of files that somebody else wrote since.</summary>
/// <param name="store">Where they are.</param>
/// <param name="writer">Who writes; a name that no other cache has.</param>
/// <param name="run">The job; empty when not known.</param>
/// <param name="attempt">Its attempt; 0 when not known.</param>
internal sealed class ManifestStore(IObjectStore store, string writer, string run, int attempt)
{
    private const string Writer = "trestle-writer";
    private const string Run = "trestle-run";
    private const string Attempt = "trestle-attempt";

    /// <summary>Writes one; false when a newer attempt has.</summary>
    public async Task<bool> WriteAsync(Manifest manifest, CancellationToken ct)
    {
        var key = Manifest.KeyOf(manifest.Name);
        if (IsNewer(await store.HeadAsync(key, ct))) return false;
        await SmallObject.WriteAsync(store, key, manifest.ToJson(), new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Writer] = writer,
            [Run] = run,
            [Attempt] = attempt.ToString(CultureInfo.InvariantCulture),
        }, ct);
        return true;
    }

    /// <summary>Reads one; null when there is none.</summary>
    public async Task<Manifest?> ReadAsync(string name, CancellationToken ct)
    {
        try
        {
            return await store.HeadAsync(Manifest.KeyOf(name), ct) is { } found ? await Manifest.ReadAsync(store, found, ct) : null;
        }
        catch (StoreException error) when (error.Problem is StoreProblem.NotFound or StoreProblem.Changed)
        {
            return null;
        }
    }

    /// <summary>Removes one, if it tells of files as this cache knows them.</summary>
    public async Task RemoveAsync(string name, Book book, CancellationToken ct)
    {
        var key = Manifest.KeyOf(name);
        if (await store.HeadAsync(key, ct) is not { } found || IsNewer(found)) return;
        if (!IsOurs(found) && await ReadAsync(name, ct) is { } theirs && book.Read(ledger => theirs.Files.Any(file => ledger.StoredFiles.GetValueOrDefault(file.Path) is { } known && known.ETag != file.ETag))) return;
        await store.DeleteAsync(key, ct);
    }

    private bool IsNewer(StoredObject? found) => run.Length > 0 && IsOfRun(found) && AttemptOf(found!) > attempt;

    private bool IsOurs(StoredObject found) => found.Metadata.GetValueOrDefault(Writer) == writer || (run.Length > 0 && IsOfRun(found) && AttemptOf(found) == attempt);

    private bool IsOfRun(StoredObject? found) => found?.Metadata.GetValueOrDefault(Run) == run;

    private static int AttemptOf(StoredObject found) => int.TryParse(found.Metadata.GetValueOrDefault(Attempt), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
