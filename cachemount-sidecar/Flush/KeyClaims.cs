using System.Globalization;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Flush;

/// <summary>
/// Two writers of one key keep both: an object that somebody else has written while we did is not replaced, and ours goes beside it. What
/// was there before, an earlier attempt of the same job, and what we wrote ourselves are replaced.
/// </summary>
/// <param name="writer">Who we are.</param>
/// <param name="store">Where objects are.</param>
/// <param name="book">What we know of them.</param>
/// <param name="traits">What the store is like.</param>
internal sealed class KeyClaims(ObjectWriter writer, IObjectStore store, Book book, Func<CancellationToken, Task<StoreTraits>> traits)
{
    private const int Tries = 5;
    private const string Write = "trestle-write";
    private const string Run = "trestle-run";

    /// <summary>Whether a store writes only where a condition holds; false while that can't be tried.</summary>
    public async Task<bool> KnowsConditionsAsync(CancellationToken ct)
    {
        try
        {
            return (await traits(ct)).KnowsConditions;
        }
        catch (StoreException)
        {
            return false;
        }
    }

    /// <summary>What is stored beside an object, so that others know whose it is.</summary>
    public void Sign(Dictionary<string, string> metadata, long sequence)
    {
        metadata[Write] = Token(sequence);
        if (writer.Run.Length > 0) metadata[Run] = string.Create(CultureInfo.InvariantCulture, $"{writer.Run}/{writer.Attempt}/{writer.Rank}");
    }

    /// <summary>Whether an object is what we wrote for this operation.</summary>
    public bool IsOf(StoredObject? found, long sequence) => found?.Metadata.GetValueOrDefault(Write) == Token(sequence);

    /// <summary>Whether we wrote an object.</summary>
    public bool IsOurs(StoredObject found) => found.Metadata.GetValueOrDefault(Write)?.StartsWith(writer.Id + "-", StringComparison.Ordinal) == true;

    /// <summary>Writes an object under the key of a path, or beside it when somebody else has written there.</summary>
    /// <param name="path">The path.</param>
    /// <param name="sequence">Of the operation.</param>
    /// <param name="looksFirst">Whether to look at the key before, though the store knows conditions.</param>
    /// <param name="write">Writes, to a key, where a condition holds.</param>
    /// <param name="same">What comes of an object of somebody else, when it has the same content.</param>
    /// <param name="divert">Called when the object goes beside; what it throws ends it.</param>
    /// <param name="ct">Ends it.</param>
    public async Task<T> WriteAsync<T>(string path, long sequence, bool looksFirst, Func<string, WriteCondition, Task<T>> write, Func<StoredObject, T?> same, Action divert, CancellationToken ct)
        where T : class
    {
        var (key, known) = book.Read(ledger => (ledger.KeyOf(path), ledger.StoredFiles.GetValueOrDefault(path)?.ETag));
        var only = new WriteCondition(known);
        looksFirst |= !await KnowsConditionsAsync(ct);
        for (var tries = 1; ; tries++)
        {
            if (looksFirst)
            {
                var found = await store.HeadAsync(key, ct);
                if (found is not null && found.ETag != known && !await MayReplaceAsync(found, ct))
                {
                    if (same(found) is { } theirs) return theirs;
                    if (key != path) throw new StoreException(StoreProblem.Unavailable, $"{key} was written by somebody else too");
                    key = $"{path}.conflict-{writer.Name.Replace('/', '-')}";
                    _ = book.Record(new Diverted(sequence, path, key));
                    divert();
                    known = null;
                    continue;
                }

                only = new WriteCondition(found?.ETag);
            }

            try
            {
                return await write(key, only);
            }
            catch (StoreException error) when (error.Problem is StoreProblem.Changed or StoreProblem.NotFound && tries < Tries)
            {
                looksFirst = true; // somebody else, or an answer of our own that was lost
            }
        }
    }

    /// <summary>Removes the object of a path, if it is one that we know.</summary>
    public async Task RemoveAsync(string path, bool isForeign, CancellationToken ct)
    {
        var (key, known) = book.Read(ledger => (ledger.KeyOf(path), ledger.StoredFiles.GetValueOrDefault(path)?.ETag));
        if (!isForeign && (await store.HeadAsync(key, ct) is not { } found || (found.ETag != known && !await MayReplaceAsync(found, ct)))) return;
        await store.DeleteAsync(key, ct);
    }

    private async Task<bool> MayReplaceAsync(StoredObject found, CancellationToken ct)
    {
        if (IsOurs(found)) return true;
        if (writer.Run.Length > 0 && found.Metadata.GetValueOrDefault(Run)?.Split('/') is [var run, var attempt, var rank] && run == writer.Run)
        {
            var theirs = int.TryParse(attempt, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
            return theirs < writer.Attempt || (theirs == writer.Attempt && rank == writer.Rank.ToString(CultureInfo.InvariantCulture));
        }

        return (await traits(ct)).Since is not { } since || found.Modified is not { } modified || modified <= since;
    }

    private string Token(long sequence) => $"{writer.Id}-{sequence.ToString(CultureInfo.InvariantCulture)}";
}
