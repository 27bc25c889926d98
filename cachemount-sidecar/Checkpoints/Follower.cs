using Microsoft.Extensions.Logging;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>
/// Brings checkpoints that others have made durable to a local directory. Each is fetched into a hidden place, held to its manifest
/// and renamed: whoever looks sees all of it or nothing.
/// </summary>
internal sealed class Follower(IObjectStore store, string into, string staging, int parallel, TimeProvider time, ILogger log)
{
    private readonly Dictionary<string, string> _seen = new(StringComparer.Ordinal);

    /// <summary>Looks again and again until told to end.</summary>
    public async Task FollowAsync(TimeSpan every, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(every, time);
        do
        {
            try
            {
                await LookAsync(ct);
            }
            catch (StoreException error)
            {
                FollowLog.CannotLook(log, store.Name, error.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    /// <summary>Fetches every checkpoint that is new or has changed.</summary>
    /// <returns>Names of those that are in place now and were not before.</returns>
    public async Task<IReadOnlyList<string>> LookAsync(CancellationToken ct)
    {
        var fetched = new List<string>();
        await foreach (var listed in store.ListAsync(Manifest.Folder, ct))
        {
            if (_seen.GetValueOrDefault(listed.Key) == listed.ETag) continue;
            try
            {
                if (await Manifest.ReadAsync(store, listed, ct) is not { } manifest)
                {
                    FollowLog.NoManifest(log, listed.Key);
                    _seen[listed.Key] = listed.ETag;
                    continue;
                }

                await FetchAsync(manifest, ct);
                _seen[listed.Key] = listed.ETag;
                fetched.Add(manifest.Name);
                FollowLog.InPlace(log, manifest.Name, manifest.Bytes);
            }
            catch (Exception error) when (error is StoreException or IOException)
            {
                // Written anew meanwhile, or half gone: what is fetched is what one manifest says, or nothing.
                FollowLog.CannotFetch(log, listed.Key, error.Message);
            }
        }

        return fetched;
    }

    private async Task FetchAsync(Manifest manifest, CancellationToken ct)
    {
        var place = Path.Combine(staging, Guid.NewGuid().ToString("N"));
        try
        {
            using var fetcher = new Fetcher(store, parallel, time);
            await fetcher.FetchAsync(manifest, place, ct);
            Put(Path.Combine(place, manifest.Name), Path.Combine(into, manifest.Name));
        }
        finally
        {
            if (Directory.Exists(place)) Directory.Delete(place, recursive: true);
        }
    }

    private static void Put(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        if (Libc.Stat(to) is { Kind: EntryKind.Directory }) Libc.ExchangeEntries(from, to); // the old one goes with the hidden place
        else Libc.Rename(from, to);
        Libc.SyncDirectory(Path.GetDirectoryName(to)!);
    }
}
