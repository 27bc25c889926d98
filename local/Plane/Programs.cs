using System.Reflection;

namespace Trestle.Local.Plane;

/// <summary>How to start our own programs: <c>trestle</c> and <c>trestle-node</c>.</summary>
internal sealed record Programs(IReadOnlyList<string> Trestle, IReadOnlyList<string> Node)
{
    // Nothing of ours runs long enough on a cold path to earn back profiling, and no diagnostics sockets are left in /tmp.
    private const string RuntimeSettings = "DOTNET_TieredPGO=0 DOTNET_EnableDiagnostics=0 DOTNET_gcServer=0";

    /// <summary>Directories that must be seen from inside containers for these programs to run there.</summary>
    public IReadOnlyList<string> Directories => [.. Trestle.Concat(Node).Where(p => p.StartsWith('/')).Select(p => Path.GetDirectoryName(Path.GetFullPath(p))!).Append(DotnetRoot()).Distinct()];

    /// <summary>Finds both. Throws <see cref="PlaneException"/> when one is missing.</summary>
    public static Programs Find()
    {
        var home = AppContext.BaseDirectory.TrimEnd('/');
        var trestle = Command(home, "trestle") ?? throw new PlaneException($"the trestle program was not found in {home}; build the project cli");
        var node = Ancestors(home).Select(a => Beside(a, home)).FirstOrDefault(c => c is not null)
            ?? throw new PlaneException($"the trestle-node program was not found near {home}; build the project node");
        return new Programs(trestle, node);
    }

    /// <summary>Writes the commands that every container finds first on its PATH.</summary>
    public void WriteWrappers(string bin)
    {
        Write(bin, "trestle", Trestle, "");
        Write(bin, "sky", Trestle, " sky");
        Write(bin, "trestle-node", Node, "");
    }

    private static void Write(string bin, string name, IReadOnlyList<string> command, string verb)
    {
        var path = Path.Combine(bin, name);
        var words = string.Join(' ', command.Select(w => "'" + w.Replace("'", "'\\''", StringComparison.Ordinal) + "'"));
        File.WriteAllText(path + ".tmp", $"#!/bin/sh\n{RuntimeSettings} exec {words}{verb} \"$@\"\n");
        File.SetUnixFileMode(path + ".tmp", (UnixFileMode)0x1ED);
        File.Move(path + ".tmp", path, overwrite: true);
    }

    private static IReadOnlyList<string>? Beside(string ancestor, string home)
    {
        var leaf = Path.GetFileName(home);
        var configuration = Path.GetFileName(Path.GetDirectoryName(home) ?? "");
        string[] places = [home, Path.Combine(ancestor, "Trestle.Node", leaf), Path.Combine(ancestor, "node", "bin", configuration, leaf), Path.Combine(ancestor, "node")];
        return places.Select(p => Command(p, "trestle-node")).FirstOrDefault(c => c is not null);
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
