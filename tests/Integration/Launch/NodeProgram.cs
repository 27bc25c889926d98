using Trestle.Testing;

namespace Trestle.Integration.Tests.Launch;

/// <summary>The `trestle-node` command from this build.</summary>
internal static class NodeProgram
{
    private static readonly string Library = Find();

    public static Command Start(params string[] arguments) => Command.Start("dotnet", [Library, .. arguments]);

    // Beside this project's output, under --artifacts-path; else in the project's own bin.
    private static string Find()
    {
        var home = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        for (var above = home.Parent; above is not null; above = above.Parent)
        {
            string[] places = [Path.Combine(above.FullName, "Trestle.Node", home.Name), Path.Combine(above.FullName, "node", "bin", home.Parent!.Name, home.Name)];
            if (places.Select(place => Path.Combine(place, "trestle-node.dll")).FirstOrDefault(File.Exists) is { } found) return found;
        }

        throw new FileNotFoundException($"trestle-node was not found near {home.FullName}; build the project node");
    }
}
