using System.Collections.Concurrent;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Flush;

/// <summary>
/// A request that was given up may be done by the store after the one that follows it, and then the older version stands there. Where the
/// store writes on conditions it can't: what comes late does not find what it was to replace.
/// </summary>
/// <param name="claims">Whose objects are.</param>
/// <param name="store">Where they are.</param>
/// <param name="book">What is stored.</param>
/// <param name="counters">Counts what failed.</param>
/// <param name="settings">How long a late write may take.</param>
/// <param name="time">The clock.</param>
internal sealed class LateWrites(KeyClaims claims, IObjectStore store, Book book, Counters counters, FlushSettings settings, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, long> _givenUp = new(StringComparer.Ordinal);

    /// <summary>Remembers a write that ends without an answer.</summary>
    public async Task<Completed> WatchAsync(Store operation, Func<Task<Completed>> write)
    {
        try
        {
            return await write();
        }
        catch (Exception error) when (error is OperationCanceledException or StoreException { Problem: StoreProblem.Unavailable })
        {
            _givenUp[operation.Path] = operation.Sequence;
            throw;
        }
    }

    /// <summary>Whether an older write of a path may still come, now that one is done. It says so once.</summary>
    public async Task<bool> MayComeAsync(string path, long sequence, CancellationToken ct)
    {
        var isOpen = !await claims.KnowsConditionsAsync(ct);
        return _givenUp.TryGetValue(path, out var older) && older < sequence && _givenUp.TryRemove(path, out _) && isOpen;
    }

    /// <summary>Whether the store has an older version of ours though we sent a newer one, when the time for it is over.</summary>
    public async Task<bool> HasComeAsync(string path, CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(settings.VerifyAfter, time, ct);
            try
            {
                var found = await store.HeadAsync(book.Read(ledger => ledger.KeyOf(path)), ct);
                return found is not null && claims.IsOurs(found) && book.Read(ledger => ledger.PendingOf(path) is null && ledger.StoredFiles.GetValueOrDefault(path)?.ETag != found.ETag);
            }
            catch (StoreException error)
            {
                counters.Retried(error.Code);
            }
        }
    }
}
