namespace Trestle.CacheMount.Directories;

/// <summary>A file that may be given up for space.</summary>
/// <param name="Path">Relative to the mount.</param>
/// <param name="Bytes">What it takes on disk.</param>
/// <param name="LastUseNs">When it was last read or written.</param>
/// <param name="IsClean">The store has it as it is, confirmed.</param>
/// <param name="IsOpen">Somebody has it open, or that is not known.</param>
/// <param name="IsWanted">It is pinned or belongs to the newest checkpoint.</param>
internal sealed record CachedFile(string Path, long Bytes, long LastUseNs, bool IsClean, bool IsOpen, bool IsWanted);

/// <summary>
/// Decides which local copies go when the cache is fuller than its high mark: clean ones that nobody has open, least recently used first,
/// wanted ones last, until it is down to its low mark. What is dirty or open never goes, however full it is.
/// </summary>
internal static class EvictionPlanner
{
    /// <summary>Paths to give up, in order.</summary>
    /// <param name="files">All files of the cache.</param>
    /// <param name="high">More bytes than this are too many.</param>
    /// <param name="low">Down to so many.</param>
    public static IReadOnlyList<string> Plan(IReadOnlyCollection<CachedFile> files, long high, long low)
    {
        var used = files.Sum(file => file.Bytes);
        var going = new List<string>();
        if (used <= high) return going;
        foreach (var file in files.Where(file => file is { IsClean: true, IsOpen: false, Bytes: > 0 }).OrderBy(file => file.IsWanted).ThenBy(file => file.LastUseNs).ThenBy(file => file.Path, StringComparer.Ordinal))
        {
            if (used <= low) break;
            going.Add(file.Path);
            used -= file.Bytes;
        }

        return going;
    }
}
