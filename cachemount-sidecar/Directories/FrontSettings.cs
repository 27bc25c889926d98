namespace Trestle.CacheMount.Directories;

/// <summary>Times of the directory front.</summary>
internal sealed record FrontSettings
{
    /// <summary>The whole tree is looked at again after this time, for what no event told.</summary>
    public TimeSpan RescanEvery { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A file of a temporary name is stored when it is still there after this time.</summary>
    public TimeSpan HoldTemporary { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A file of which nobody said that it is finished is looked at again after this time.</summary>
    public TimeSpan LookAgain { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Where leases are not to be had, a file must have been left alone for this time.</summary>
    public TimeSpan Quiet { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A file that is open though it was just closed holds up all that is closed after it for so long. The kernel tells a close before it lets go of the file.</summary>
    public TimeSpan LetGo { get; init; } = TimeSpan.FromMilliseconds(100);
}
