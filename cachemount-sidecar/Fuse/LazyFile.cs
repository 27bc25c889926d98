using Microsoft.Win32.SafeHandles;
using Trestle.CacheMount.Fetching;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Fuse;

/// <summary>
/// The content of one object as far as somebody has wanted it, in a sparse file. It comes in blocks, and what is read one block after
/// the other comes ahead of the reader. All blocks are of one version of the object, or reading fails.
/// </summary>
internal sealed class LazyFile : IDisposable
{
    /// <summary>Bytes of a block.</summary>
    public const long BlockSize = RangeReader.RangeSize;

    private const int Ahead = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly string _key;
    private readonly RangeReader _ranges;
    private readonly SafeFileHandle _file;
    private readonly Task<uint>?[] _blocks;
    private readonly PartPlan _plan;
    private readonly CancellationTokenSource _stop = new();

    /// <param name="path">The sparse file, which is made.</param>
    /// <param name="key">Of the object.</param>
    /// <param name="entry">Which version of it.</param>
    /// <param name="store">Where it is.</param>
    /// <param name="places">How many blocks of all files may be under way.</param>
    /// <param name="time">The clock.</param>
    public LazyFile(string path, string key, StoreEntry entry, IObjectStore store, SemaphoreSlim places, TimeProvider time)
    {
        (Place, _key, Entry) = (path, key, entry);
        _ranges = new RangeReader(store, places, time) { Patience = Patience, WaitsForAccess = true };
        _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (Posix.SetLength((int)_file.DangerousGetHandle(), entry.Size) != 0) throw new IOException($"no file of {entry.Size} bytes can be made in the cache (error {Posix.Error})");
        _plan = new PartPlan(entry.Size, BlockSize);
        _blocks = new Task<uint>?[_plan.Count];
    }

    /// <summary>Where it is on disk.</summary>
    public string Place { get; }

    /// <summary>Of the sparse file.</summary>
    public int Descriptor => (int)_file.DangerousGetHandle();

    public StoreEntry Entry { get; }

    /// <summary>How many have it open; belongs to who keeps them.</summary>
    public int Users { get; set; }

    /// <summary>Whether all of it is here.</summary>
    public bool IsWhole => Array.TrueForAll(_blocks, block => block is { IsCompletedSuccessfully: true });

    /// <summary>Whether a range is here. What comes next in a file that is read from front to back is sent for.</summary>
    public bool Has(long offset, long length)
    {
        var (first, last) = Blocks(offset, length);
        var isHere = true;
        for (var index = first; index <= last; index++) isHere &= _blocks[index] is { IsCompletedSuccessfully: true };
        if (isHere && last + 1 < _blocks.Length && _blocks[last + 1] is null) SendForNext(last);
        return isHere;
    }

    /// <summary>Waits for a range.</summary>
    /// <exception cref="StoreException">The store can't or won't give it.</exception>
    public async Task WaitAsync(long offset, long length, CancellationToken ct)
    {
        var (first, last) = Blocks(offset, length);
        var wanted = Enumerable.Range(first, last - first + 1).Select(SendFor).ToList();
        SendForNext(last);
        await Task.WhenAll(wanted).WaitAsync(ct);
    }

    /// <summary>Waits for all of it.</summary>
    /// <returns>CRC-32 of the whole.</returns>
    /// <exception cref="StoreException">The store can't give it, or it is not what was once stored.</exception>
    public async Task<uint> WaitAsync(CancellationToken ct)
    {
        var blocks = await Task.WhenAll(Enumerable.Range(0, _blocks.Length).Select(SendFor)).WaitAsync(ct);
        var crc = RangeReader.Whole(blocks, _plan);
        return Entry.Crc32 is { } expected && expected != crc ? throw new StoreException(StoreProblem.Corrupt, $"{_key} in the store is not what was stored") : crc;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _file.Dispose();
        _stop.Dispose();
    }

    private (int First, int Last) Blocks(long offset, long length)
    {
        var last = Math.Clamp((offset + Math.Max(1, length) - 1) / BlockSize, 0, _blocks.Length - 1);
        return ((int)Math.Clamp(offset / BlockSize, 0, last), (int)last);
    }

    private void SendForNext(int block)
    {
        // Only who comes from the front is met half-way.
        if (block > 0 && _blocks[block - 1] is null) return;
        for (var next = block + 1; next <= block + Ahead && next < _blocks.Length; next++) _ = SendFor(next);
    }

    // A block that failed is tried again when it is wanted again.
    private Task<uint> SendFor(int index)
    {
        lock (_lock)
        {
            if (_blocks[index] is { IsFaulted: false, IsCanceled: false } known) return known;
            return _blocks[index] = Task.Run(() => _ranges.ReadAsync(_key, Entry.ETag, _file, _plan.Part(index + 1), _ => { }, _stop.Token));
        }
    }
}
