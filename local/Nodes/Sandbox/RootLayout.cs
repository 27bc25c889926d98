namespace Trestle.Local.Nodes.Sandbox;

/// <summary>
/// Lays out a sandbox's root as bubblewrap arguments: a tmpfs root, every top-level host directory bound read-only,
/// symlinks recreated, then the mounts. A mount point that does not exist on the host makes its nearest existing
/// ancestor "open": a tmpfs holding binds of the ancestor's entries, in which any path can be made. Pure but for
/// the questions it asks of <see cref="IHostFiles"/>.
/// </summary>
public sealed class RootLayout(IHostFiles host)
{
    private const int MaxLinks = 40;
    private static readonly string[] OwnTops = ["dev", "lost+found", "proc", "run", "tmp"];

    /// <summary>Arguments that build the root; parents come before children.</summary>
    /// <param name="mounts">What to show; a later mount on the same target wins.</param>
    /// <param name="hidden">Host directories that must not be seen at all.</param>
    /// <param name="ensured">Directories that must exist, such as the working directory.</param>
    public IReadOnlyList<string> Arguments(IEnumerable<SandboxMount> mounts, IEnumerable<string> hidden, IEnumerable<string> ensured)
    {
        var placed = new SortedDictionary<string, SandboxMount>(StringComparer.Ordinal);
        foreach (var mount in mounts) placed[Resolve(mount.Target)] = mount;
        var hides = hidden.Select(Resolve).Where(h => host.Kind(h) == HostEntry.Directory).Distinct().ToList();

        var arguments = new List<string> { "--tmpfs", "/" };
        foreach (var top in host.Names("/")) BindTop(arguments, top);
        arguments.AddRange(["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp", "--perms", "0755", "--tmpfs", "/run"]);

        var open = new HashSet<string>(StringComparer.Ordinal) { "/", "/dev", "/tmp", "/run" };
        foreach (var hide in hides.Order(StringComparer.Ordinal).Where(h => !Under(h, open.Where(o => o != "/"))))
        {
            arguments.AddRange(["--tmpfs", hide]);
            open.Add(hide);
        }

        var bound = new HashSet<string>(StringComparer.Ordinal);
        foreach (var target in placed.Keys.OrderBy(Depth).ThenBy(k => k, StringComparer.Ordinal))
        {
            var mount = placed[target];
            MakeRoom(arguments, target, mount.IsDirectory, open, bound);
            arguments.AddRange([Verb(mount), mount.Source, target]);
            bound.Add(target);
        }

        foreach (var directory in ensured.Select(Resolve).Distinct())
        {
            MakeRoom(arguments, directory, true, open, bound);
            if (NearestBase(directory, open, bound) is { } ground && (open.Contains(ground) || bound.Contains(ground)) && ground != directory)
                arguments.AddRange(["--dir", directory]);
        }

        return arguments;
    }

    /// <summary>The path with the host's links followed and dots removed, as the sandbox will see it.</summary>
    public string Resolve(string path)
    {
        var pending = new Stack<string>(Parts(path).Reverse());
        var resolved = new List<string>();
        var links = 0;
        while (pending.TryPop(out var part))
        {
            if (part == ".") continue;
            if (part == "..")
            {
                if (resolved.Count > 0) resolved.RemoveAt(resolved.Count - 1);
                continue;
            }

            var here = "/" + string.Join('/', [.. resolved, part]);
            var own = OwnTops.Contains(resolved.Count > 0 ? resolved[0] : part);
            if (own || host.Kind(here) != HostEntry.Link || ++links > MaxLinks)
            {
                resolved.Add(part);
                continue;
            }

            var target = host.LinkTarget(here);
            if (target.StartsWith('/')) resolved.Clear();
            foreach (var piece in Parts(target).Reverse()) pending.Push(piece);
        }

        return "/" + string.Join('/', resolved);
    }

    private void BindTop(List<string> arguments, string top)
    {
        if (OwnTops.Contains(top)) return;
        var path = "/" + top;
        switch (host.Kind(path))
        {
            case HostEntry.Link:
                arguments.AddRange(["--symlink", host.LinkTarget(path), path]);
                break;
            case HostEntry.Directory:
                arguments.AddRange(["--ro-bind-try", path, path]);
                break;
        }
    }

    /// <summary>Sees to it that bubblewrap can make (or finds) the mount point.</summary>
    private void MakeRoom(List<string> arguments, string target, bool directory, HashSet<string> open, HashSet<string> bound)
    {
        var ground = NearestBase(target, open, bound);
        if (bound.Contains(ground)) return;
        if (open.Contains(ground) && ground != "/") return;
        if (Exists(target, directory)) return;
        if (Depth(target) == 1 || host.Kind("/" + Parts(target)[0]) == HostEntry.None) return;

        var ancestor = Parent(target);
        while (host.Kind(ancestor) == HostEntry.None) ancestor = Parent(ancestor);
        if (ancestor == "/") return;
        Open(arguments, ancestor);
        open.Add(ancestor);
    }

    private void Open(List<string> arguments, string directory)
    {
        arguments.AddRange(["--perms", "0755", "--tmpfs", directory]);
        foreach (var path in host.Names(directory).Select(name => directory + "/" + name))
        {
            if (host.Kind(path) == HostEntry.Link) arguments.AddRange(["--symlink", host.LinkTarget(path), path]);
            else arguments.AddRange(["--ro-bind-try", path, path]);
        }
    }

    private bool Exists(string target, bool directory) => host.Kind(target) switch
    {
        HostEntry.Directory => directory,
        HostEntry.File => !directory,
        _ => false,
    };

    private static string NearestBase(string target, HashSet<string> open, HashSet<string> bound)
    {
        for (var path = target; path != "/"; path = Parent(path))
        {
            if (bound.Contains(path) || open.Contains(path)) return path;
        }

        return "/";
    }

    private static string Verb(SandboxMount mount) => mount switch
    {
        { Devices: true } => "--dev-bind",
        { ReadOnly: true } => "--ro-bind",
        _ => "--bind",
    };

    private static bool Under(string path, IEnumerable<string> roots) => roots.Any(r => path == r || path.StartsWith(r + "/", StringComparison.Ordinal));

    private static string[] Parts(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static int Depth(string path) => Parts(path).Length;

    private static string Parent(string path) => path.LastIndexOf('/') is var i and > 0 ? path[..i] : "/";
}
