using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Directories;

/// <summary>Looks at what is in a directory; what goes away meanwhile is left out.</summary>
internal static class TreeWalk
{
    /// <summary>Every file below, by its path relative to the root.</summary>
    public static IEnumerable<(string Path, Entry Entry)> Files(string root, string below = "")
    {
        foreach (var (name, entry) in Entries(Path.Combine(root, below)))
        {
            var path = below.Length == 0 ? name : $"{below}/{name}";
            if (entry.Kind != EntryKind.Directory)
            {
                yield return (path, entry);
                continue;
            }

            foreach (var deeper in Files(root, path)) yield return deeper;
        }
    }

    private static Entry? Look(string path)
    {
        try
        {
            return Libc.Stat(path);
        }
        catch (IOException)
        {
            return null; // we may not look at it
        }
    }

    /// <summary>The entries of one directory.</summary>
    public static IEnumerable<(string Name, Entry Entry)> Entries(string directory)
    {
        string[] found;
        try
        {
            found = Directory.GetFileSystemEntries(directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            yield break;
        }

        foreach (var path in found)
        {
            if (Look(path) is { } entry) yield return (Path.GetFileName(path), entry);
        }
    }
}
