using System.IO.Hashing;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>
/// Brings checkpoints that others have made durable to a local directory. Each is fetched into a hidden place, held to its manifest
/// and renamed: whoever looks sees all of it or nothing.
/// </summary>
internal sealed class Follower(IObjectStore store, string into, string staging, int parallel, TimeProvider time, ILogger log)
{
    private const long RangeSize = 16 << 20;
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
            if (_seen.GetValueOrDefault(listed.Key) == listed.ETag || listed.Size > Manifest.MaxSize) continue;
            try
            {
                if (await ReadAsync(listed, ct) is not { } manifest)
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

    private async Task<Manifest?> ReadAsync(StoredObject listed, CancellationToken ct)
    {
        var bytes = new byte[listed.Size];
        var at = 0;
        await store.ReadAsync(listed.Key, 0, listed.Size, listed.ETag, piece =>
        {
            piece.CopyTo(bytes.AsMemory(at));
            at += piece.Length;
            return ValueTask.CompletedTask;
        }, ct);
        return Manifest.FromJson(bytes) is { } manifest && Manifest.KeyOf(manifest.Name) == listed.Key ? manifest : null;
    }

    private async Task FetchAsync(Manifest manifest, CancellationToken ct)
    {
        var place = Path.Combine(staging, Guid.NewGuid().ToString("N"));
        try
        {
            using var slots = new SemaphoreSlim(parallel);
            await Parallel.ForEachAsync(manifest.Files, new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = ct }, async (file, each) => await FetchFileAsync(file, Path.Combine(place, file.Path), slots, each));
            Put(Path.Combine(place, manifest.Name), Path.Combine(into, manifest.Name));
        }
        finally
        {
            if (Directory.Exists(place)) Directory.Delete(place, recursive: true);
        }
    }

    private async Task FetchFileAsync(ManifestFile file, string to, SemaphoreSlim slots, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        using var handle = File.OpenHandle(to, FileMode.CreateNew, FileAccess.ReadWrite, preallocationSize: file.Size);
        var plan = new PartPlan(file.Size, RangeSize);
        var ranges = await Task.WhenAll(Enumerable.Range(1, plan.Count).Select(number => FetchRangeAsync(file, handle, plan.Part(number), slots, ct)));
        var crc = ranges.Skip(1).Index().Aggregate(ranges[0], (whole, range) => CrcCombine.Combine(whole, range.Item, plan.Part(range.Index + 2).Length));
        if (crc != file.Crc32) throw new StoreException(StoreProblem.Corrupt, $"{file.Path} is not what its manifest says");
        RandomAccess.FlushToDisk(handle);
    }

    private async Task<uint> FetchRangeAsync(ManifestFile file, SafeFileHandle handle, (long Offset, long Length) range, SemaphoreSlim slots, CancellationToken ct)
    {
        await slots.WaitAsync(ct);
        try
        {
            var crc = new Crc32();
            var at = range.Offset;
            await store.ReadAsync(file.Path, range.Offset, range.Length, file.ETag, async piece =>
            {
                crc.Append(piece.Span);
                await RandomAccess.WriteAsync(handle, piece, at, ct);
                at += piece.Length;
            }, ct);
            return crc.GetCurrentHashAsUInt32();
        }
        finally
        {
            slots.Release();
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
