using System.Runtime.CompilerServices;

namespace Trestle.Api.Tests;

internal static class Repository
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = Find();

    public static string Path(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Root, .. parts]);

    private static string Find([CallerFilePath] string source = "")
    {
        var folder = new DirectoryInfo(System.IO.Path.GetDirectoryName(source)!);
        while (!File.Exists(System.IO.Path.Combine(folder.FullName, "Operator.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("the tests must be built inside the repository");
        }

        return folder.FullName;
    }
}
