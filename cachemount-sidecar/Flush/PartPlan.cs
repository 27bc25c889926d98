namespace Trestle.CacheMount.Flush;

/// <summary>How a file is cut into parts.</summary>
/// <param name="FileSize">Bytes of the file.</param>
/// <param name="PartSize">Bytes of every part but the last.</param>
internal readonly record struct PartPlan(long FileSize, long PartSize)
{
    /// <summary>Smallest part; S3 takes no smaller one than 5 MiB except as the last.</summary>
    public const long SmallestPart = 16 << 20;

    /// <summary>Most parts of a file; S3 takes 10,000.</summary>
    public const int MostParts = 9000;

    /// <summary>Number of parts; an empty file has one.</summary>
    public int Count => (int)Math.Max(1, (FileSize + PartSize - 1) / PartSize);

    /// <summary>The plan for a new upload.</summary>
    public static PartPlan For(long fileSize, long smallest = SmallestPart) => new(fileSize, Math.Max(smallest, (fileSize + MostParts - 1) / MostParts));

    /// <summary>Where a part is in the file.</summary>
    /// <param name="number">From 1.</param>
    public (long Offset, long Length) Part(int number)
    {
        var offset = (number - 1) * PartSize;
        return (offset, Math.Min(PartSize, FileSize - offset));
    }
}
