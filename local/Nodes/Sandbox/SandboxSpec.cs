namespace Trestle.Local.Nodes.Sandbox;

/// <summary>Everything needed to start one container.</summary>
/// <param name="Directory">Private directory of this run: arguments, pid, status, raw output.</param>
/// <param name="Command">Command and its arguments.</param>
/// <param name="Environment">The whole environment; nothing is inherited.</param>
/// <param name="WorkingDirectory">Absolute path in the sandbox.</param>
/// <param name="HostName">Host name in the sandbox.</param>
/// <param name="Mounts">What is shown where.</param>
/// <param name="Hidden">Host directories that are not shown.</param>
/// <param name="MemoryGroup">The <c>cgroup.procs</c> file to join, or null.</param>
public sealed record SandboxSpec(
    string Directory,
    IReadOnlyList<string> Command,
    IReadOnlyList<KeyValuePair<string, string>> Environment,
    string WorkingDirectory,
    string HostName,
    IReadOnlyList<SandboxMount> Mounts,
    IReadOnlyList<string> Hidden,
    string? MemoryGroup = null);
