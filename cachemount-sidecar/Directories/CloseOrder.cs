using Trestle.CacheMount.Checkpoints;

namespace Trestle.CacheMount.Directories;

/// <summary>
/// The order in which files were closed that nobody saw close, as well as their times tell. Of those of one tick, what says that a
/// checkpoint is finished comes last.
/// </summary>
internal static class CloseOrder
{
    /// <summary>The same, the earliest first.</summary>
    /// <param name="files">What was found.</param>
    /// <param name="path">Its path.</param>
    /// <param name="modifiedNs">When its content changed last, in nanoseconds since 1970.</param>
    public static IEnumerable<T> Of<T>(IEnumerable<T> files, Func<T, string> path, Func<T, long> modifiedNs) =>
        files.OrderBy(modifiedNs).ThenBy(file => CheckpointRules.IsSign(path(file))).ThenBy(path, StringComparer.Ordinal);
}
