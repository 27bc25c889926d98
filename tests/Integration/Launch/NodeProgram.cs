using Trestle.Testing;

namespace Trestle.Integration.Tests.Launch;

/// <summary>The `trestle-node` command from this build.</summary>
internal static class NodeProgram
{
    private static readonly string Library = BuiltProgram.Find("Trestle.Node", "node", "trestle-node.dll");

    public static Command Start(params string[] arguments) => Command.Start("dotnet", [Library, .. arguments]);
}
