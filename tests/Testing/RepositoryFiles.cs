using System.Runtime.CompilerServices;

namespace Trestle.Testing;

/// <summary>Files of this source tree, for tests that use the examples, scripts and documents as they are.</summary>
public static class RepositoryFiles
{
    public static string Root { get; } = Find();

    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, .. parts]);

    public static string Read(params string[] parts) => File.ReadAllText(Path(parts));

    // The build output may lie outside the tree (dotnet --artifacts-path); then the compiler knows where the source was.
    private static string Find([CallerFilePath] string here = "")
    {
        string?[] starts = [AppContext.BaseDirectory, System.IO.Path.GetDirectoryName(here)];
        foreach (var start in starts)
        {
            for (var directory = start is { Length: > 0 } ? new DirectoryInfo(start) : null; directory is not null; directory = directory.Parent)
            {
                if (File.Exists(System.IO.Path.Combine(directory.FullName, "Operator.sln")))
                {
                    return directory.FullName;
                }
            }
        }

        throw new InvalidOperationException("the source tree (Operator.sln) was not found above the test's directory");
    }
}
