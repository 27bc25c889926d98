using System.Reflection;

namespace Trestle.Local.Plane;

/// <summary>How to start our own programs: <c>trestle</c>, <c>trestle-node</c> and, for services, <c>trestle-weights-gateway</c>.</summary>
internal sealed record Programs(IReadOnlyList<string> Trestle, IReadOnlyList<string> Node, IReadOnlyList<string>? Gateway)
{
    // Nothing of ours runs long enough on a cold path to earn back profiling, and no diagnostics sockets are left in /tmp.
    private const string RuntimeSettings = "DOTNET_TieredPGO=0 DOTNET_EnableDiagnostics=0 DOTNET_gcServer=0";

    /// <summary>Directories that must be seen from inside containers for these programs to run there.</summary>
    public IReadOnlyList<string> Directories => [.. Trestle.Concat(Node).Concat(Gateway ?? []).Where(p => p.StartsWith('/')).Select(p => Path.GetDirectoryName(Path.GetFullPath(p))!).Append(DotnetRoot()).Distinct()];

    /// <summary>Finds them. Throws <see cref="PlaneException"/> when one is missing that every job needs.</summary>
    public static Programs Find()
    {
        var home = AppContext.BaseDirectory.TrimEnd('/');
        var trestle = Command(home, "trestle") ?? throw new PlaneException($"the trestle program was not found in {home}; build the project cli");
        var node = Near(home, "trestle-node", "Trestle.Node", "node")
            ?? throw new PlaneException($"the trestle-node program was not found near {home}; build the project node");
        return new Programs(trestle, node, Near(home, "trestle-weights-gateway", "Trestle.WeightsGateway", "weights-gateway"));
    }

    /// <summary>Writes the commands that every container finds first on its PATH.</summary>
    public void WriteWrappers(string bin)
    {
        Write(bin, "trestle", Trestle, "");
        Write(bin, "sky", Trestle, " sky");
        Write(bin, "trestle-node", Node, "");
        if (Gateway is not null) Write(bin, "trestle-weights-gateway", Gateway, "");
    }

    private static void Write(string bin, string name, IReadOnlyList<string> command, string verb)
    {
        var path = Path.Combine(bin, name);
        var words = string.Join(' ', command.Select(w => "'" + w.Replace("'", "'\\''", StringComparison.Ordinal) + "'"));
        File.WriteAllText(path + ".tmp", $"#!/bin/sh\n{RuntimeSettings} exec {words}{verb} \"$@\"\n");
        File.SetUnixFileMode(path + ".tmp", (UnixFileMode)0x1ED);
        File.Move(path + ".tmp", path, overwrite: true);
    }

    // Beside us, where a publish or a test project puts it, or in its own build of the same configuration.
    private static IReadOnlyList<string>? Near(string home, string program, string project, string folder) =>
        Ancestors(home).Select(ancestor => Beside(ancestor, home, program, project, folder)).FirstOrDefault(command => command is not null);

    private static IReadOnlyList<string>? Beside(string ancestor, string home, string program, string project, string folder)
    {
        var leaf = Path.GetFileName(home);
        var configuration = Path.GetFileName(Path.GetDirectoryName(home) ?? "");
        string[] places = [home, Path.Combine(ancestor, project, leaf), Path.Combine(ancestor, folder, "bin", configuration, leaf), Path.Combine(ancestor, folder)];
        return places.Select(place => Command(place, program)).FirstOrDefault(command => command is not null);
    }

    private static IEnumerable<string> Ancestors(string path)
    {
        for (var at = path; at is not null; at = Path.GetDirectoryName(at)) yield return at;
    }

    // A program on its own starts without the host's look-up; a library needs dotnet before it.
    private static IReadOnlyList<string>? Command(string directory, string name)
    {
        var library = Path.Combine(directory, name + ".dll");
        if (File.Exists(library)) return [Path.Combine(DotnetRoot(), "dotnet"), library];
        var program = Path.Combine(directory, name);
        // A build leaves the launcher of a referenced program beside us without the library it launches.
        return File.Exists(program) && !File.Exists(program + ".runtimeconfig.json") ? [program] : null;
    }

    private static string DotnetRoot()
    {
        var runtime = Path.GetDirectoryName(typeof(object).GetTypeInfo().Assembly.Location)!; // ROOT/shared/Microsoft.NETCore.App/VERSION
        return Path.GetFullPath(Path.Combine(runtime, "..", "..", ".."));
    }
}
