using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Fetching;

/// <summary>How far a copy is.</summary>
/// <param name="Files">Files that are in place.</param>
/// <param name="AllFiles">Files there are.</param>
/// <param name="Bytes">Bytes that are here.</param>
/// <param name="AllBytes">Bytes there are.</param>
internal readonly record struct CopyProgress(long Files, long AllFiles, long Bytes, long AllBytes);

/// <summary>
/// Brings everything below the store's prefix to a local directory, many ranges at once. A file comes into place by rename when it is
/// whole and of the one version that was listed. What an earlier try has brought is not fetched again: neither files in place, which
/// bear the tag of their object, nor ranges of one that is under way.
/// </summary>
internal sealed class PrefixCopy(IObjectStore store, string into, int parallel, TimeProvider time) : IDisposable
{
    private const string TagName = "user.trestle.etag";
    private readonly string _staging = Path.Combine(into, ".trestle-incoming");
    private readonly SemaphoreSlim _places = new(parallel);
    private RangeReader? _ranges;
    private long _files;
    private long _bytes;
    private long _allFiles;
    private long _allBytes;

    /// <summary>How far it is.</summary>
    public CopyProgress Progress => new(Interlocked.Read(ref _files), _allFiles, Interlocked.Read(ref _bytes), _allBytes);

    /// <summary>Copies.</summary>
    /// <exception cref="StoreException">A file can't be had; which is said. What is here stays, and the next try goes on.</exception>
    public async Task RunAsync(CancellationToken ct)
    {
        var wanted = new List<StoredObject>();
        await foreach (var found in store.ListAsync("", ct))
        {
            if (NameRules.IsFile(found.Key)) wanted.Add(found);
        }

        (_allFiles, _allBytes) = (wanted.Count, wanted.Sum(file => file.Size));
        Directory.CreateDirectory(_staging);
        await Parallel.ForEachAsync(wanted, new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = ct }, async (file, each) => await CopyAsync(file, each));
        Directory.Delete(_staging, recursive: true);
    }

    public void Dispose() => _places.Dispose();

    private async Task CopyAsync(StoredObject file, CancellationToken ct)
    {
        var target = Path.Combine(into, file.Key);
        if (!IsInPlace(target, file))
        {
            var place = Path.Combine(_staging, Convert.ToHexStringLower(System.IO.Hashing.XxHash128.Hash(Encoding.UTF8.GetBytes($"{file.Key}\n{file.ETag}"))));
            using (var handle = File.OpenHandle(place, FileMode.OpenOrCreate, FileAccess.ReadWrite))
            {
                await FetchAsync(file, place, handle, ct);
                RandomAccess.FlushToDisk(handle);
            }

            var about = await store.HeadAsync(file.Key, ct);
            if (about?.ETag == file.ETag && FileLook.Of(about.Metadata) is var (mode, modified, _)) FileLook.Restore(place, mode, modified);
            Mark(place, file.ETag);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            Libc.Rename(place, target);
            File.Delete(place + ".ranges");
        }
        else
        {
            Interlocked.Add(ref _bytes, file.Size);
        }

        Interlocked.Increment(ref _files);
    }

    private async Task FetchAsync(StoredObject file, string place, SafeFileHandle handle, CancellationToken ct)
    {
        var plan = new PartPlan(file.Size, RangeReader.RangeSize);
        var ranger = _ranges ??= new RangeReader(store, _places, time) { WaitsForAccess = true };
        var done = Done(place + ".ranges", plan.Count);
        if (RandomAccess.GetLength(handle) != file.Size) RandomAccess.SetLength(handle, file.Size);
        await using var ranges = new FileStream(place + ".ranges", FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        Interlocked.Add(ref _bytes, done.Sum(number => plan.Part(number).Length));
        await Task.WhenAll(Enumerable.Range(1, plan.Count).Except(done).Select(async number =>
        {
            await ranger.ReadAsync(file.Key, file.ETag, handle, plan.Part(number), moved => Interlocked.Add(ref _bytes, moved), ct);
            RandomAccess.FlushToDisk(handle); // a range is not said to be here before it is
            Note(ranges, number);
        }));
    }

    private static void Note(FileStream ranges, int number)
    {
        lock (ranges) ranges.Write(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture) + "\n"));
    }

    private static HashSet<int> Done(string path, int most)
    {
        if (!File.Exists(path)) return [];
        return [.. File.ReadLines(path).Select(line => int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0).Where(number => number >= 1 && number <= most)];
    }

    // Without extended attributes nothing is believed to be in place, and all is fetched again.
    private static unsafe bool IsInPlace(string target, StoredObject file)
    {
        if (Libc.Stat(target) is not { Kind: EntryKind.File } entry || entry.File.Size != file.Size) return false;
        Span<byte> tag = stackalloc byte[256];
        fixed (byte* at = tag)
        {
            var length = Posix.GetAttribute(target, TagName, at, (nuint)tag.Length);
            return length > 0 && Encoding.UTF8.GetString(tag[..(int)length]) == Tag(file.ETag, entry);
        }
    }

    private static unsafe void Mark(string place, string etag)
    {
        if (Libc.Stat(place) is not { } entry) return;
        fixed (byte* value = Encoding.UTF8.GetBytes(Tag(etag, entry)))
        {
            _ = Posix.SetAttribute(place, TagName, value, (nuint)Encoding.UTF8.GetByteCount(Tag(etag, entry)), 0);
        }
    }

    // A file that the user has changed since is not what was fetched.
    private static string Tag(string etag, Entry entry) => string.Create(CultureInfo.InvariantCulture, $"{etag} {entry.File.ModifiedNs}");
}
