namespace Trestle.Local.Nodes.Sandbox;

/// <summary>One host path shown at a path of the sandbox.</summary>
/// <param name="Source">Absolute path on the host.</param>
/// <param name="Target">Absolute path in the sandbox.</param>
/// <param name="IsDirectory">Whether the source is a directory.</param>
/// <param name="ReadOnly">Whether writes are refused.</param>
/// <param name="Devices">Whether device files below it may be opened.</param>
public sealed record SandboxMount(string Source, string Target, bool IsDirectory, bool ReadOnly = false, bool Devices = false);
