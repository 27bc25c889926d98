using System.Globalization;

namespace Trestle.Local.Nodes.Containers;

/// <summary>Holds containers to their memory limit by control groups (version 1 or 2), where this process may make them.</summary>
public sealed class MemoryGroups
{
    private readonly string? _root;
    private readonly string _limitFile;

    private MemoryGroups(string? root, string limitFile) => (_root, _limitFile) = (root, limitFile);

    /// <summary>Whether limits are enforced.</summary>
    public bool Enforced => _root is not null;

    /// <summary>Finds a place for groups; one that enforces nothing when there is none.</summary>
    /// <param name="mountPoint">Where control groups are mounted.</param>
    /// <param name="name">Name of our group, unique to the state directory.</param>
    public static MemoryGroups Open(string mountPoint, string name)
    {
        foreach (var (parent, file) in new[] { (Path.Combine(mountPoint, "memory"), "memory.limit_in_bytes"), (mountPoint, "memory.max") })
        {
            try
            {
                if (!File.Exists(Path.Combine(parent, "cgroup.procs"))) continue;
                var root = Directory.CreateDirectory(Path.Combine(parent, name)).FullName;
                if (file == "memory.max") File.WriteAllText(Path.Combine(root, "cgroup.subtree_control"), "+memory");
                var trial = Directory.CreateDirectory(Path.Combine(root, "trial")).FullName;
                var works = File.Exists(Path.Combine(trial, file));
                Directory.Delete(trial);
                if (works) return new MemoryGroups(root, file);
                Directory.Delete(root);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not ours to use.
            }
        }

        return new MemoryGroups(null, "");
    }

    /// <summary>Makes a group with a limit; gives the file a process writes its id to, or null.</summary>
    public string? Make(string name, long bytes)
    {
        if (_root is null) return null;
        try
        {
            var group = Directory.CreateDirectory(Path.Combine(_root, name)).FullName;
            File.WriteAllText(Path.Combine(group, _limitFile), bytes.ToString(CultureInfo.InvariantCulture));
            return Path.Combine(group, "cgroup.procs");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Removes the groups of a pod that is gone.</summary>
    public void Remove(string pod)
    {
        if (_root is null || !Directory.Exists(_root)) return;
        foreach (var group in Directory.EnumerateDirectories(_root, pod + "-*")) TryRemove(group);
    }

    /// <summary>Removes everything; the pods must be gone.</summary>
    public void RemoveAll()
    {
        if (_root is null || !Directory.Exists(_root)) return;
        foreach (var group in Directory.EnumerateDirectories(_root)) TryRemove(group);
        TryRemove(_root);
    }

    private static void TryRemove(string group)
    {
        try
        {
            Directory.Delete(group);
        }
        catch (IOException)
        {
            // Still has a process; it goes next time.
        }
    }
}
