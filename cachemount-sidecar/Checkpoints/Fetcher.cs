using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Fetching;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>Brings objects to local files, in ranges that are fetched side by side; each looks as it did where it was written.</summary>
/// <param name="store">Where they are.</param>
/// <param name="parallel">Ranges under way.</param>
/// <param name="time">The clock.</param>
internal sealed class Fetcher(IObjectStore store, int parallel, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(parallel);
    private RangeReader? _ranges;

    /// <summary>Fetches all files of a checkpoint into a directory, each at its own path.</summary>
    /// <exception cref="StoreException">The store failed, or has not what the manifest says.</exception>
    public Task FetchAsync(Manifest manifest, string into, CancellationToken ct) => FetchAsync(manifest.Files, into, ct);

    /// <summary>Fetches files into a directory, each at its own path.</summary>
    /// <exception cref="StoreException">The store failed, or has not what was said.</exception>
    public async Task FetchAsync(IReadOnlyCollection<ManifestFile> files, string into, CancellationToken ct)
    {
        await Parallel.ForEachAsync(files.Where(file => !file.IsLink), new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = ct }, async (file, each) =>
        {
            var crc = await FetchAsync(file.Path, file.Size, file.ETag, Path.Combine(into, file.Path), each);
            if (crc != file.Crc32) throw new StoreException(StoreProblem.Corrupt, $"{file.Path} is not what its manifest says");
            FileLook.Restore(Path.Combine(into, file.Path), file.Mode, file.ModifiedNs);
        });

        // After all else: nothing is written through a link.
        foreach (var link in files.Where(file => file.IsLink)) await FetchLinkAsync(link, into, ct);
    }

    /// <summary>Fetches an object to a file that must not be there.</summary>
    /// <param name="key">Of the object.</param>
    /// <param name="size">Bytes.</param>
    /// <param name="etag">The object must be this one.</param>
    /// <param name="to">The file.</param>
    /// <param name="ct">Ends it.</param>
    /// <returns>CRC-32 of the content.</returns>
    public async Task<uint> FetchAsync(string key, long size, string etag, string to, CancellationToken ct)
    {
        _ranges ??= new RangeReader(store, _slots, time);
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        using var handle = File.OpenHandle(to, FileMode.CreateNew, FileAccess.ReadWrite, preallocationSize: size);
        var plan = new PartPlan(size, RangeReader.RangeSize);
        var ranges = await Task.WhenAll(Enumerable.Range(1, plan.Count).Select(number => _ranges.ReadAsync(key, etag, handle, plan.Part(number), _ => { }, ct)));
        RandomAccess.FlushToDisk(handle);
        return RangeReader.Whole(ranges, plan);
    }

    public void Dispose() => _slots.Dispose();

    private async Task FetchLinkAsync(ManifestFile link, string into, CancellationToken ct)
    {
        var bytes = await SmallObject.ReadAsync(store, new StoredObject(link.Path, link.Size, link.ETag, link.Crc32, new Dictionary<string, string>()), ct) ?? [];
        if (!LinkTarget.TryRead(link.Path, bytes, out var target)) throw new StoreException(StoreProblem.Corrupt, $"{link.Path} is a link that leads out of the storage, or nowhere");
        var place = Path.Combine(into, link.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
        if (Libc.Stat(place) is not null) throw new StoreException(StoreProblem.Corrupt, $"{link.Path} is a link and a directory");
        File.CreateSymbolicLink(place, target);
        FileLook.Restore(place, mode: null, link.ModifiedNs);
    }
}
