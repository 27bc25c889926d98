namespace Trestle.Testing;

/// <summary>Programs of this build that no test project carries beside itself.</summary>
public static class BuiltProgram
{
    /// <summary>Path of a program's library: beside this project's output, under --artifacts-path; else in the project's own bin.</summary>
    /// <param name="project">Name of the project, e.g. Trestle.Node.</param>
    /// <param name="folder">Its folder in the source tree, e.g. node.</param>
    /// <param name="file">E.g. trestle-node.dll.</param>
    public static string Find(string project, string folder, string file)
    {
        var home = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        for (var above = home.Parent; above is not null; above = above.Parent)
        {
            string[] places = [Path.Combine(above.FullName, project, home.Name), Path.Combine(above.FullName, folder, "bin", home.Parent!.Name, home.Name)];
            if (places.Select(place => Path.Combine(place, file)).FirstOrDefault(File.Exists) is { } found) return found;
        }

        throw new FileNotFoundException($"{file} was not found near {home.FullName}; build the project {folder}");
    }
}
