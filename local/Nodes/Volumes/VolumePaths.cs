using Trestle.Local.Nodes.Containers;

namespace Trestle.Local.Nodes.Volumes;

/// <summary>Keeps paths that users write inside the directory they are meant for.</summary>
public static class VolumePaths
{
    private const int MaxLinks = 40;

    /// <summary>
    /// The real path of <paramref name="relative"/> below <paramref name="root"/>, with links followed. Throws
    /// <see cref="ContainerConfigException"/> when it is absolute, has <c>..</c>, or a link leads out of the root.
    /// </summary>
    public static string Inside(string root, string relative)
    {
        CheckRelative(relative);
        var realRoot = Real(root);
        var path = Real(Path.Combine(realRoot, relative));
        if (path != realRoot && !path.StartsWith(realRoot + "/", StringComparison.Ordinal))
            throw new ContainerConfigException($"the path \"{relative}\" leads out of its volume");
        return path;
    }

    /// <summary>Throws unless <paramref name="path"/> is relative and has no <c>..</c>.</summary>
    public static void CheckRelative(string path)
    {
        if (path.Length == 0 || path.Contains('\0') || path.StartsWith('/') || path.Split('/').Contains(".."))
            throw new ContainerConfigException($"the path \"{path}\" must be relative and must not contain '..'");
    }

    /// <summary>Throws unless <paramref name="path"/> is a place where a volume can be mounted.</summary>
    public static void CheckMountPath(string path)
    {
        if (!path.StartsWith('/') || path.Contains('\0') || path.Split('/').Contains("..") || path.Trim('/').Length == 0)
            throw new ContainerConfigException($"the mount path \"{path}\" must be absolute, without '..', and not the root");
        if (path.TrimEnd('/') is "/proc" or "/dev" or "/sys" || path.StartsWith("/proc/", StringComparison.Ordinal))
            throw new ContainerConfigException($"the mount path \"{path}\" belongs to the system; mount somewhere else");
    }

    private static string Real(string path)
    {
        var pending = new Stack<string>(Parts(path).Reverse());
        var resolved = "";
        var links = 0;
        while (pending.TryPop(out var part))
        {
            if (part == "..")
            {
                resolved = resolved.LastIndexOf('/') is var i and > 0 ? resolved[..i] : "";
                continue;
            }

            var here = resolved + "/" + part;
            var target = new FileInfo(here).LinkTarget;
            if (target is null)
            {
                resolved = here;
                continue;
            }

            if (++links > MaxLinks) throw new ContainerConfigException($"too many links in {path}");
            if (target.StartsWith('/')) resolved = "";
            foreach (var piece in Parts(target).Reverse()) pending.Push(piece);
        }

        return resolved.Length == 0 ? "/" : resolved;
    }

    private static IEnumerable<string> Parts(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(p => p != ".");
}
