namespace Trestle.CacheMount.Flush;

/// <summary>Sizes of the flush engine.</summary>
internal sealed record FlushSettings
{
    /// <summary>A file up to this size is sent in one request when its turn comes.</summary>
    public long DirectSize { get; init; } = 1 << 20;

    /// <summary>Bytes of a part at least; S3 takes no smaller one than 5 MiB except as the last.</summary>
    public long SmallestPart { get; init; } = PartPlan.SmallestPart;

    /// <summary>Parts under way at the start.</summary>
    public int FirstParts { get; init; } = 8;

    /// <summary>Most parts under way.</summary>
    public int MostParts { get; init; } = 64;

    /// <summary>First pause after something went wrong.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest pause after something went wrong.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>What was sent after an older version whose fate is not known is looked at again after this time.</summary>
    public TimeSpan VerifyAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A checkpoint of which files are still being written is looked at again after this time.</summary>
    public TimeSpan PublishAgainAfter { get; init; } = TimeSpan.FromSeconds(1);
}
