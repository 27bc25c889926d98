using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>Brings objects to local files, in ranges that are fetched side by side.</summary>
/// <param name="store">Where they are.</param>
/// <param name="parallel">Ranges under way.</param>
/// <param name="time">The clock.</param>
internal sealed class Fetcher(IObjectStore store, int parallel, TimeProvider time) : IDisposable
{
    private const long RangeSize = 16 << 20;
    private const int Tries = 8;
    private readonly SemaphoreSlim _slots = new(parallel);

    /// <summary>Fetches all files of a checkpoint into a directory, each at its own path.</summary>
    /// <exception cref="StoreException">The store failed, or has not what the manifest says.</exception>
    public Task FetchAsync(Manifest manifest, string into, CancellationToken ct) =>
        Parallel.ForEachAsync(manifest.Files, new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = ct }, async (file, each) =>
        {
            var crc = await FetchAsync(file.Path, file.Size, file.ETag, Path.Combine(into, file.Path), each);
            if (crc != file.Crc32) throw new StoreException(StoreProblem.Corrupt, $"{file.Path} is not what its manifest says");
        });

    /// <summary>Fetches an object to a file that must not be there.</summary>
    /// <param name="key">Of the object.</param>
    /// <param name="size">Bytes.</param>
    /// <param name="etag">The object must be this one.</param>
    /// <param name="to">The file.</param>
    /// <param name="ct">Ends it.</param>
    /// <returns>CRC-32 of the content.</returns>
    public async Task<uint> FetchAsync(string key, long size, string etag, string to, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        using var handle = File.OpenHandle(to, FileMode.CreateNew, FileAccess.ReadWrite, preallocationSize: size);
        var plan = new PartPlan(size, RangeSize);
        var ranges = await Task.WhenAll(Enumerable.Range(1, plan.Count).Select(number => FetchRangeAsync(key, etag, handle, plan.Part(number), ct)));
        RandomAccess.FlushToDisk(handle);
        return ranges.Skip(1).Index().Aggregate(ranges[0], (whole, range) => CrcCombine.Combine(whole, range.Item, plan.Part(range.Index + 2).Length));
    }

    public void Dispose() => _slots.Dispose();

    // One answer that is lost must not cost all that was fetched.
    private async Task<uint> FetchRangeAsync(string key, string etag, SafeFileHandle handle, (long Offset, long Length) range, CancellationToken ct)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10));
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await FetchRangeOnceAsync(key, etag, handle, range, ct);
            }
            catch (StoreException error) when (tries < Tries && error.Problem is StoreProblem.Unavailable or StoreProblem.SlowDown)
            {
                await Task.Delay(backoff.Next(), time, ct);
            }
        }
    }

    private async Task<uint> FetchRangeOnceAsync(string key, string etag, SafeFileHandle handle, (long Offset, long Length) range, CancellationToken ct)
    {
        await _slots.WaitAsync(ct);
        try
        {
            var crc = new Crc32();
            var at = range.Offset;
            await store.ReadAsync(key, range.Offset, range.Length, etag, async piece =>
            {
                crc.Append(piece.Span);
                await RandomAccess.WriteAsync(handle, piece, at, ct);
                at += piece.Length;
            }, ct);
            return crc.GetCurrentHashAsUInt32();
        }
        finally
        {
            _slots.Release();
        }
    }
}
