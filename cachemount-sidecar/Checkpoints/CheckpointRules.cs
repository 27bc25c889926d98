using System.IO.Enumeration;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>
/// Says which paths are checkpoints and when one is finished. A checkpoint is a file or a directory whose path matches a pattern. A file is
/// finished when it is closed. A directory is when it comes into place by rename, when a framework's marker is closed in it, when a
/// framework's pointer beside it names it, or when it is committed by hand.
/// </summary>
/// <param name="patterns">Paths relative to the mount, with * and ?, e.g. step-*.</param>
internal sealed class CheckpointRules(IReadOnlyList<string> patterns)
{
    /// <summary>Most bytes of a pointer that are read.</summary>
    public const int PointerSize = 256;

    // torch.distributed.checkpoint writes its metadata last; the others are markers that people and frameworks set.
    private static readonly HashSet<string> Markers = new(StringComparer.Ordinal) { ".metadata", "_SUCCESS", "COMPLETE", ".complete", "DONE" };

    /// <summary>Whether the path is one of a checkpoint.</summary>
    public bool IsCheckpoint(string path) => patterns.Any(pattern => pattern.Count(c => c == '/') == path.Count(c => c == '/') && FileSystemName.MatchesSimpleExpression(pattern, path, ignoreCase: false));

    /// <summary>The checkpoint that a path is or lies in; null when none.</summary>
    public string? Of(string path)
    {
        for (var end = path.Length; end > 0; end = path.LastIndexOf('/', end - 1))
        {
            if (IsCheckpoint(path[..end])) return path[..end];
        }

        return null;
    }

    /// <summary>Whether a file says by its name that a checkpoint is finished.</summary>
    public static bool IsSign(string path) => Markers.Contains(Name(path)) || IsPointer(path);

    /// <summary>Whether a file is a pointer, whose content names a checkpoint beside it.</summary>
    public static bool IsPointer(string path) => Name(path) is "latest_checkpointed_iteration.txt" or "latest";

    /// <summary>The checkpoint that is finished by the close of a file; null when none is.</summary>
    /// <param name="path">Of the file.</param>
    /// <param name="pointer">Its content, when it is a pointer.</param>
    public string? FinishedBy(string path, string? pointer)
    {
        if (IsCheckpoint(path)) return path;
        var folder = path[..Math.Max(0, path.LastIndexOf('/'))];
        if (Markers.Contains(Name(path)) && IsCheckpoint(folder)) return folder;
        if (!IsPointer(path) || pointer?.Trim() is not { Length: > 0 } named || named.Contains('/', StringComparison.Ordinal)) return null;
        // Megatron names an iteration by its number and the directory by seven digits.
        var name = long.TryParse(named, out var iteration) && Name(path) != "latest" ? $"iter_{iteration:0000000}" : named;
        var target = folder.Length == 0 ? name : $"{folder}/{name}";
        return IsCheckpoint(target) ? target : null;
    }

    private static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];
}
