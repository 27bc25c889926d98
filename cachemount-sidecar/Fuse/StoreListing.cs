using Microsoft.Extensions.Logging;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Fuse;

/// <summary>Looks again and again what the store has that the cache has not, and shows it.</summary>
internal sealed class StoreListing(int root, IObjectStore store, Book book, StoreTree tree, TimeProvider time, ILogger log)
{
    /// <summary>What we know without the store: files that were given up for space.</summary>
    public void ShowKnown()
    {
        foreach (var (path, stored) in book.Read(ledger => ledger.StoredFiles.Where(known => known.Value.IsEvicted).ToArray()))
        {
            if (TryMakeFolders(path)) tree.Add(path, StoreEntry.Of(stored));
        }
    }

    /// <summary>Looks once; a store that does not answer is asked again later.</summary>
    /// <param name="settle">Waits until what happened here meanwhile is known; null when nobody is here yet.</param>
    /// <param name="ct">Ends it.</param>
    public async Task LookAsync(Func<Task>? settle, CancellationToken ct)
    {
        try
        {
            var round = tree.BeginListing();
            var found = new List<(string, StoreEntry)>();
            await foreach (var entry in store.ListAsync("", ct))
            {
                if (NameRules.IsFile(entry.Key) && !IsHere(entry.Key)) found.Add((entry.Key, Entry(entry)));
            }

            if (settle is not null) await settle();
            tree.EndListing(round, found.Where(entry => !IsHere(entry.Item1)), TryMakeFolders);
        }
        catch (Exception error) when (error is StoreException or IOException)
        {
            FuseLog.NotListed(log, error.Message);
        }
    }

    /// <summary>Looks until told to end.</summary>
    public async Task LookAsync(TimeSpan every, Func<Task> settle, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(every, time);
        while (await timer.WaitForNextTickAsync(ct)) await LookAsync(settle, ct);
    }

    private bool IsHere(string path) => book.Read(ledger => ledger.PendingOf(path) is not null) || Libc.Stat(Path.Combine(Posix.PathOf(root), path)) is not null;

    private StoreEntry Entry(StoredObject found)
    {
        var known = book.Read(ledger => ledger.StoredFiles.GetValueOrDefault(found.Key));
        if (known is not null && known.ETag == found.ETag) return StoreEntry.Of(known);
        return new StoreEntry(found.Size, found.ETag, ((found.Modified ?? time.GetUtcNow()) - DateTimeOffset.UnixEpoch).Ticks * 100);
    }

    // The directories of a file are real ones, so that all else works in them as ever. A link on the way leads nowhere.
    private bool TryMakeFolders(string path)
    {
        var parts = path.Split('/');
        var at = root;
        foreach (var part in parts[..^1])
        {
            var next = Posix.Open(at, part, Posix.PathOnly | Posix.Directory | Posix.NoFollow | Posix.CloseOnExec, 0);
            if (next < 0 && Posix.Error == Errno.NotFound && Posix.MakeDirectory(at, part, 0x1ED) == 0) next = Posix.Open(at, part, Posix.PathOnly | Posix.Directory | Posix.NoFollow | Posix.CloseOnExec, 0);
            if (at != root) _ = Posix.Close(at);
            if (next < 0) return false;
            at = next;
        }

        if (at != root) _ = Posix.Close(at);
        return true;
    }
}
