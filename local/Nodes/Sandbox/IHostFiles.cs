namespace Trestle.Local.Nodes.Sandbox;

/// <summary>What stands at a path of the host.</summary>
public enum HostEntry
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A file, socket or device.</summary>
    File,

    /// <summary>A symbolic link.</summary>
    Link,
}

/// <summary>The questions the layout asks about the host's files, so that it stays pure in tests.</summary>
public interface IHostFiles
{
    /// <summary>What stands at <paramref name="path"/>, links not followed.</summary>
    HostEntry Kind(string path);

    /// <summary>Target of the link at <paramref name="path"/>, as written.</summary>
    string LinkTarget(string path);

    /// <summary>Names inside the directory, sorted; empty when it can't be read.</summary>
    IReadOnlyList<string> Names(string directory);
}

/// <summary>The real file system.</summary>
public sealed class HostFiles : IHostFiles
{
    /// <inheritdoc/>
    public HostEntry Kind(string path)
    {
        var info = new FileInfo(path);
        if (info.LinkTarget is not null) return HostEntry.Link;
        if (Directory.Exists(path)) return HostEntry.Directory;
        return File.Exists(path) || info.Exists ? HostEntry.File : HostEntry.None;
    }

    /// <inheritdoc/>
    public string LinkTarget(string path) => new FileInfo(path).LinkTarget ?? "";

    /// <inheritdoc/>
    public IReadOnlyList<string> Names(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(directory).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
