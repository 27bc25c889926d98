using System.Diagnostics;

namespace Trestle.Local.Nodes.Agent;

/// <summary>Removes what pods leave on disk.</summary>
internal static class PodDirectories
{
    /// <summary>Removes a directory with everything in it, whatever permissions a user gave it. Links are removed, never followed.</summary>
    public static void Remove(string directory)
    {
        if (!Directory.Exists(directory)) return;
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            using var chmod = Process.Start("chmod", ["-R", "u+rwX", directory]);
            chmod.WaitForExit();
            Directory.Delete(directory, recursive: true);
        }
    }
}
