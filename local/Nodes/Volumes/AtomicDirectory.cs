using System.Globalization;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Nodes.Volumes;

/// <summary>One file of a volume.</summary>
/// <param name="Path">Relative path.</param>
/// <param name="Content">The bytes.</param>
/// <param name="Mode">Permission bits.</param>
public sealed record VolumeFile(string Path, byte[] Content, int Mode);

/// <summary>
/// Fills a directory so that a reader sees either all old or all new files, as kubelets do it: content in a directory
/// <c>..N</c>, the link <c>..data</c> moved to it, and a link for every top-level name.
/// </summary>
public static class AtomicDirectory
{
    /// <summary>Writes the files; does nothing when they are there already.</summary>
    public static void Write(string directory, IReadOnlyList<VolumeFile> files)
    {
        foreach (var file in files) VolumePaths.CheckRelative(file.Path);
        Directory.CreateDirectory(directory);
        var data = Path.Combine(directory, "..data");
        var current = new FileInfo(data).LinkTarget;
        if (current is not null && Same(Path.Combine(directory, current), files)) return;

        var name = ".." + (current is null ? 1 : int.Parse(current[2..], CultureInfo.InvariantCulture) + 1).ToString(CultureInfo.InvariantCulture);
        var fresh = Path.Combine(directory, name);
        if (Directory.Exists(fresh)) Directory.Delete(fresh, recursive: true);
        Directory.CreateDirectory(fresh);
        foreach (var file in files) WriteFile(Path.Combine(fresh, file.Path), file);

        var link = data + ".tmp";
        File.Delete(link);
        File.CreateSymbolicLink(link, name);
        NativeCalls.Rename(link, data); // File.Move refuses a link to a directory
        LinkNames(directory, files);
        if (current is not null) Directory.Delete(Path.Combine(directory, current), recursive: true);
    }

    private static void WriteFile(string path, VolumeFile file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, file.Content);
        File.SetUnixFileMode(path, (UnixFileMode)(file.Mode & 0x1FF));
    }

    private static void LinkNames(string directory, IReadOnlyList<VolumeFile> files)
    {
        var names = files.Select(f => f.Path.Split('/')[0]).ToHashSet();
        foreach (var old in Directory.EnumerateFileSystemEntries(directory))
        {
            var name = Path.GetFileName(old);
            if (!name.StartsWith("..", StringComparison.Ordinal) && !names.Contains(name)) File.Delete(old);
        }

        foreach (var name in names)
        {
            var path = Path.Combine(directory, name);
            if (new FileInfo(path).LinkTarget is null) File.CreateSymbolicLink(path, "..data/" + name);
        }
    }

    private static bool Same(string directory, IReadOnlyList<VolumeFile> files)
    {
        if (!Directory.Exists(directory)) return false;
        var there = Directory.GetFiles(directory, "*", SearchOption.AllDirectories);
        return there.Length == files.Count && files.All(f =>
        {
            var path = Path.Combine(directory, f.Path);
            return File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(f.Content);
        });
    }
}
