using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Fetching;

/// <summary>Brings ranges of objects, each of one version, to places in files. An answer that is lost does not cost more than its range.</summary>
/// <param name="store">Where the objects are.</param>
/// <param name="slots">How many ranges may be under way.</param>
/// <param name="time">The clock.</param>
internal sealed class RangeReader(IObjectStore store, SemaphoreSlim slots, TimeProvider time)
{
    /// <summary>Bytes fetched in one request.</summary>
    public const long RangeSize = 16 << 20;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>A range is tried again for so long.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether denied access may be granted again.</summary>
    public bool WaitsForAccess { get; init; }

    /// <summary>Brings a range.</summary>
    /// <param name="key">Of the object.</param>
    /// <param name="etag">The object must be this one.</param>
    /// <param name="file">To the same place of this file.</param>
    /// <param name="range">Which bytes.</param>
    /// <param name="moved">Told how many bytes came; less than none for those that are fetched anew.</param>
    /// <param name="ct">Ends it.</param>
    /// <returns>CRC-32 of the range.</returns>
    /// <exception cref="StoreException">It can't be had.</exception>
    public async Task<uint> ReadAsync(string key, string etag, SafeFileHandle file, (long Offset, long Length) range, Action<long> moved, CancellationToken ct)
    {
        var backoff = new Backoff(FirstPause, LongestPause);
        var began = time.GetTimestamp();
        while (true)
        {
            await slots.WaitAsync(ct);
            var crc = new Crc32();
            var at = range.Offset;
            try
            {
                await store.ReadAsync(key, range.Offset, range.Length, etag, async piece =>
                {
                    crc.Append(piece.Span);
                    await RandomAccess.WriteAsync(file, piece, at, ct);
                    at += piece.Length;
                    moved(piece.Length);
                }, ct);
                if (at != range.Offset + range.Length) throw new StoreException(StoreProblem.Unavailable, $"{key}: {at - range.Offset} bytes came instead of {range.Length}");
                return crc.GetCurrentHashAsUInt32();
            }
            catch (StoreException error) when (MayPass(error.Problem) && time.GetElapsedTime(began) < Patience)
            {
                moved(range.Offset - at);
            }
            finally
            {
                slots.Release();
            }

            await Task.Delay(backoff.Next(), time, ct);
        }
    }

    /// <summary>CRC-32 of a whole, from those of its ranges in order.</summary>
    public static uint Whole(IReadOnlyList<uint> ranges, PartPlan plan) =>
        ranges.Skip(1).Index().Aggregate(ranges[0], (whole, range) => CrcCombine.Combine(whole, range.Item, plan.Part(range.Index + 2).Length));

    private bool MayPass(StoreProblem problem) => problem is StoreProblem.Unavailable or StoreProblem.SlowDown || (WaitsForAccess && problem is StoreProblem.Denied);
}
