using System.Runtime.CompilerServices;

namespace Trestle.Operator.Tests.Telemetry;

/// <summary>Files of the source tree.</summary>
internal static class SourceTree
{
    /// <summary>A file in the folder of the caller.</summary>
    public static string Beside(string name, [CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, name);

    /// <summary>A file by its path in the repository.</summary>
    public static string File(string path, [CallerFilePath] string source = "")
    {
        var folder = new DirectoryInfo(Path.GetDirectoryName(source)!);
        while (!System.IO.File.Exists(Path.Combine(folder.FullName, "Operator.sln"))) folder = folder.Parent ?? throw new InvalidOperationException("the tests must be built inside the repository");
        return Path.Combine(folder.FullName, path);
    }
}
