using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Nodes.Agent;

/// <summary>What every container of this machine shares.</summary>
/// <param name="StateDirectory">The local plane's state; hidden from containers but for its <c>bin</c>.</param>
/// <param name="Path">The PATH of containers after <c>bin</c>.</param>
/// <param name="SharedPaths">Directories shown at their own path even where the sandbox would hide them.</param>
/// <param name="ApiHost">Address of the API server.</param>
/// <param name="ApiPort">Its port.</param>
public sealed record MachineContext(string StateDirectory, string Path, IReadOnlyList<string> SharedPaths, string ApiHost, int ApiPort)
{
    /// <summary>Home directory inside every container; writable, on disk, its own.</summary>
    public const string Home = "/trestle/home";

    /// <summary>Commands put first on PATH.</summary>
    public string BinDirectory => System.IO.Path.Combine(StateDirectory, "bin");

    /// <summary>Directory of one node.</summary>
    public string NodeDirectory(string node) => System.IO.Path.Combine(StateDirectory, "nodes", node);

    /// <summary>Directory of one pod.</summary>
    public string PodDirectory(string node, string uid) => System.IO.Path.Combine(NodeDirectory(node), "pods", uid);

    /// <summary>Environment every container begins with.</summary>
    public IEnumerable<KeyValuePair<string, string>> Environment(string hostName) =>
    [
        new("PATH", $"{BinDirectory}:{Path}"),
        new("HOME", Home),
        new("HOSTNAME", hostName),
        new("LANG", "C.UTF-8"),
        new("KUBERNETES_SERVICE_HOST", ApiHost),
        new("KUBERNETES_SERVICE_PORT", $"{ApiPort}"),
        new("KUBERNETES_SERVICE_PORT_HTTPS", $"{ApiPort}"),
        new("KUBERNETES_PORT", $"tcp://{ApiHost}:{ApiPort}"),
    ];

    /// <summary>Binds every container has; what a pod mounts itself comes on top.</summary>
    public IEnumerable<SandboxMount> Mounts(string runDirectory, string podDirectory, string terminationPath, bool devices)
    {
        yield return new(System.IO.Path.Combine(runDirectory, "tmp"), "/tmp", IsDirectory: true);
        yield return new(System.IO.Path.Combine(runDirectory, "home"), Home, IsDirectory: true);
        yield return new(System.IO.Path.Combine(podDirectory, "hosts"), "/etc/hosts", IsDirectory: false, ReadOnly: true);
        yield return new(System.IO.Path.Combine(podDirectory, "hostname"), "/etc/hostname", IsDirectory: false, ReadOnly: true);
        yield return new(System.IO.Path.Combine(runDirectory, "termination"), terminationPath, IsDirectory: false);
        foreach (var shared in SharedPaths.Append(BinDirectory).Where(IsCovered).Where(Directory.Exists).Distinct()) yield return new(shared, shared, IsDirectory: true, ReadOnly: true);
        if (!devices) yield break;
        foreach (var device in Directory.EnumerateFileSystemEntries("/dev", "nvidia*").Concat(Directory.Exists("/dev/infiniband") ? ["/dev/infiniband"] : []))
            yield return new(device, device, Directory.Exists(device), Devices: true);
    }

    private bool IsCovered(string path) =>
        path.StartsWith("/tmp/", StringComparison.Ordinal) || path.StartsWith("/run/", StringComparison.Ordinal) || path.StartsWith(StateDirectory + "/", StringComparison.Ordinal);
}
