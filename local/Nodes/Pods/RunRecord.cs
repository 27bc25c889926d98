using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Trestle.Local.Nodes.Pods;

/// <summary>
/// Directories of one container's runs: <c>POD/.run/CONTAINER/N</c>, N the restart count. A run that has ended leaves
/// <c>exit.json</c>, written by rename, so that a later agent knows how.
/// </summary>
public sealed class RunRecord(string podDirectory, string container)
{
    private readonly string _root = Path.Combine(podDirectory, ".run", container);

    /// <summary>Directory of a run.</summary>
    public string DirectoryOf(int run) => Path.Combine(_root, run.ToString(CultureInfo.InvariantCulture));

    /// <summary>Log of a run, where the API server looks for it.</summary>
    public string LogOf(int run) => Path.Combine(podDirectory, container, run.ToString(CultureInfo.InvariantCulture) + ".log");

    /// <summary>The newest run on disk; null when there was none.</summary>
    public int? Newest() => Directory.Exists(_root)
        ? Directory.EnumerateDirectories(_root).Select(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var n) ? n : -1).DefaultIfEmpty(-1).Max() is >= 0 and var newest ? newest : null
        : null;

    /// <summary>How a run ended; null while it is not known.</summary>
    public ContainerExit? ReadExit(int run)
    {
        var path = Path.Combine(DirectoryOf(run), "exit.json");
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), RunJson.Default.ContainerExit) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Records how a run ended and drops what only a running one needs.</summary>
    public void WriteExit(int run, ContainerExit exit)
    {
        var directory = Directory.CreateDirectory(DirectoryOf(run)).FullName;
        var path = Path.Combine(directory, "exit.json");
        File.WriteAllBytes(path + ".tmp", JsonSerializer.SerializeToUtf8Bytes(exit, RunJson.Default.ContainerExit));
        File.Move(path + ".tmp", path, overwrite: true);
        foreach (var spent in new[] { "args", "out", "err" }) File.Delete(Path.Combine(directory, spent));
        foreach (var spent in new[] { "tmp", "home" }) Remove(Path.Combine(directory, spent));
        if (run >= 2) Remove(DirectoryOf(run - 2));
    }

    /// <summary>Forgets a run that left no process.</summary>
    public void Forget(int run) => Remove(DirectoryOf(run));

    private static void Remove(string directory)
    {
        if (!Directory.Exists(directory)) return;
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (IOException)
        {
            // Something in it is still being written; it goes with the pod.
        }
        catch (UnauthorizedAccessException)
        {
            // A directory the user made unreadable; it goes with the pod.
        }
    }
}

[JsonSerializable(typeof(ContainerExit))]
[JsonSerializable(typeof(StopCause))]
internal sealed partial class RunJson : JsonSerializerContext;
