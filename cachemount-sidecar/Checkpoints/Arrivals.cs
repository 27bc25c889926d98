using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>
/// Brings to a cache what the store has and the cache has not. Before the start: every file outside of checkpoints, and checkpoints from
/// the newest on, up to a limit; after it the other checkpoints, and each that somebody else makes durable. A checkpoint comes into place
/// as a whole. What the user has written and the store has not is never replaced.
/// </summary>
/// <param name="mount">The cache.</param>
/// <param name="store">Where the objects are.</param>
/// <param name="staging">A hidden directory of the cache's file system.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Its log.</param>
internal sealed class Arrivals(CachedMount mount, IObjectStore store, string staging, TimeProvider time, ILogger log) : IDisposable
{
    /// <summary>Bytes of checkpoints that are fetched before the start; the newest is in any case.</summary>
    public const long FirstBytes = 64L << 30;

    private const int ParallelFiles = 16;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private readonly Fetcher _fetcher = new(store, parallel: 16, time);
    private readonly Dictionary<string, string> _seen = new(StringComparer.Ordinal);
    private DateTimeOffset _newest;

    /// <summary>What of the store is not in the cache though it should be, as a sentence; null when nothing is.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Fetches what the user should find at the start. Trouble with the store is waited out.</summary>
    public async Task FetchFirstAsync(CancellationToken ct)
    {
        for (var pause = TimeSpan.FromSeconds(1); ; pause = pause * 2 < Longest ? pause * 2 : Longest)
        {
            try
            {
                Clear();
                await FetchFilesAsync(ct);
                await FetchCheckpointsAsync(FirstBytes, ct);
                Trouble = null;
                return;
            }
            catch (Exception error) when (error is StoreException or IOException or UnauthorizedAccessException)
            {
                Trouble = error is StoreException known ? StoreAdvice.Of(known, store.Name, endpoint: null) : error.Message;
                ArrivalLog.Waiting(log, Trouble, pause.TotalSeconds);
                await Task.Delay(pause, time, ct);
            }
        }
    }

    /// <summary>Goes on with everything else until told to end.</summary>
    public async Task FollowAsync(TimeSpan every, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(every, time);
        do
        {
            try
            {
                await FetchCheckpointsAsync(long.MaxValue, ct);
            }
            catch (Exception error) when (error is StoreException or IOException or UnauthorizedAccessException)
            {
                ArrivalLog.Waiting(log, error.Message, every.TotalSeconds);
            }
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    public void Dispose() => _fetcher.Dispose();

    // What was half fetched when the last process ended.
    private void Clear()
    {
        if (Directory.Exists(staging)) Directory.Delete(staging, recursive: true);
        Directory.CreateDirectory(staging);
    }

    private async Task FetchFilesAsync(CancellationToken ct)
    {
        var before = mount.Stored();
        var wanted = new List<StoredObject>();
        var listed = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var found in store.ListAsync("", ct))
        {
            if (!NameRules.IsFile(found.Key)) continue;
            listed.Add(found.Key);
            if (!mount.IsInCheckpoint(found.Key) && mount.Wants(found.Key, found.ETag)) wanted.Add(found);
        }

        // A bucket that has nothing at all was emptied, or is another one: then the cache is all there is.
        if (listed.Count > 0) ArrivalLog.Gone(log, mount.Forget(before.Where(file => !listed.Contains(file.Path))), store.Name);
        var bytes = wanted.Sum(file => file.Size);
        if (wanted.Count == 0) return;
        if (!mount.MakeRoom(bytes, mayEvict: true)) throw new IOException($"{wanted.Count} files of {bytes} bytes don't fit into the cache; give the storage a larger cache.size, mount a part of it with subPath, or use mode Copy");
        ArrivalLog.Fetching(log, wanted.Count, bytes, store.Name);
        var place = Path.Combine(staging, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(place);
        var fetched = await FetchAsync(wanted, place, ct);
        await SettleAsync(ct);
        var stale = before.ToDictionary(file => file.Path, file => file.Stored.ETag, StringComparer.Ordinal);
        foreach (var file in fetched) mount.Front.TryAdopt(place, file.Path, [file], isCheckpoint: false, stale.GetValueOrDefault(file.Path));
        Directory.Delete(place, recursive: true);
    }

    // What stands beside an object says how its file looked, and whether it was a link.
    private async Task<IReadOnlyCollection<ManifestFile>> FetchAsync(IEnumerable<StoredObject> wanted, string place, CancellationToken ct)
    {
        var (fetched, links) = (new ConcurrentBag<ManifestFile>(), new ConcurrentBag<ManifestFile>());
        await Parallel.ForEachAsync(wanted, new ParallelOptions { MaxDegreeOfParallelism = ParallelFiles, CancellationToken = ct }, async (file, each) =>
        {
            var about = await store.HeadAsync(file.Key, each);
            var (mode, modified, isLink) = about?.ETag == file.ETag ? FileLook.Of(about.Metadata) : default;
            var one = new ManifestFile(file.Key, file.Size, file.ETag, 0) { Mode = mode, ModifiedNs = modified, IsLink = isLink };
            if (isLink)
            {
                links.Add(one);
                return;
            }

            fetched.Add(one with { Crc32 = await _fetcher.FetchAsync(file.Key, file.Size, file.ETag, Path.Combine(place, file.Key), each) });
            FileLook.Restore(Path.Combine(place, file.Key), mode, modified);
        });
        foreach (var link in links)
        {
            try
            {
                await _fetcher.FetchAsync([link], place, ct);
                fetched.Add(link);
            }
            catch (StoreException error) when (error.Problem == StoreProblem.Corrupt)
            {
                FollowLog.CannotFetch(log, link.Path, error.Message);
            }
        }

        return fetched;
    }

    private async Task FetchCheckpointsAsync(long most, CancellationToken ct)
    {
        var found = new List<Arrival>();
        await foreach (var listed in store.ListAsync(Manifest.Folder, ct))
        {
            if (_seen.GetValueOrDefault(listed.Key) == listed.ETag) continue;
            var manifest = await ReadAsync(listed, ct);
            if (manifest is not null && !mount.Has(manifest.Files.Select(file => (file.Path, file.ETag)))) found.Add(new Arrival(listed, manifest));
            else
            {
                if (manifest?.DurableAt > _newest) _newest = manifest.DurableAt;
                _seen[listed.Key] = listed.ETag;
            }
        }

        var fetched = 0L;
        foreach (var one in found.OrderByDescending(one => one.Manifest.DurableAt))
        {
            if (fetched > 0 && fetched + one.Manifest.Bytes > most) break;
            // An older one takes no room from a newer one.
            if (!mount.MakeRoom(one.Manifest.Bytes, mayEvict: one.Manifest.DurableAt > _newest))
            {
                ArrivalLog.NoRoom(log, one.Manifest.Name, one.Manifest.Bytes);
                _seen[one.Listed.Key] = one.Listed.ETag;
                continue;
            }

            if (await FetchCheckpointAsync(one, ct)) _seen[one.Listed.Key] = one.Listed.ETag;
            if (one.Manifest.DurableAt > _newest) _newest = one.Manifest.DurableAt;
            fetched += one.Manifest.Bytes;
        }
    }

    private async Task<Manifest?> ReadAsync(StoredObject listed, CancellationToken ct)
    {
        try
        {
            return await Manifest.ReadAsync(store, listed, ct);
        }
        catch (StoreException error) when (error.Problem is StoreProblem.NotFound or StoreProblem.Changed)
        {
            return null; // written anew meanwhile: the next look sees it
        }
    }

    private async Task<bool> FetchCheckpointAsync(Arrival one, CancellationToken ct)
    {
        var manifest = one.Manifest;
        var place = Path.Combine(staging, Guid.NewGuid().ToString("N"));
        try
        {
            await _fetcher.FetchAsync(manifest, place, ct);
            await SettleAsync(ct);
            if (!mount.Front.TryAdopt(place, manifest.Name, manifest.Files, isCheckpoint: true)) return false;
            FollowLog.InPlace(log, manifest.Name, one.Manifest.Bytes);
            return true;
        }
        catch (StoreException error) when (error.Problem is StoreProblem.NotFound or StoreProblem.Changed or StoreProblem.Corrupt)
        {
            FollowLog.CannotFetch(log, manifest.Name, error.Message);
            return false;
        }
        finally
        {
            if (Directory.Exists(place)) Directory.Delete(place, recursive: true);
        }
    }

    private sealed record Arrival(StoredObject Listed, Manifest Manifest);

    // What was written this moment can't be told from what is written the next one.
    private Task SettleAsync(CancellationToken ct) => Task.Delay(TimeSpan.FromMilliseconds(2 * Fingerprint.TickNs / 1_000_000), time, ct);
}

/// <summary>Log lines of arrivals.</summary>
internal static partial class ArrivalLog
{
    [LoggerMessage(340, LogLevel.Information, "fetching {Count} files, {Bytes} bytes, from {Store}")]
    public static partial void Fetching(ILogger log, int count, long bytes, string store);

    [LoggerMessage(343, LogLevel.Information, "{Count} files were removed from {Store} by others, and are not in the cache any more")]
    private static partial void Removed(ILogger log, int count, string store);

    public static void Gone(ILogger log, int count, string store)
    {
        if (count > 0) Removed(log, count, store);
    }

    [LoggerMessage(341, LogLevel.Warning, "checkpoint {Name} of {Bytes} bytes does not fit into the cache and is not fetched")]
    public static partial void NoRoom(ILogger log, string name, long bytes);

    [LoggerMessage(342, LogLevel.Warning, "{What}; tried again in {Seconds} s")]
    public static partial void Waiting(ILogger log, string what, double seconds);
}
