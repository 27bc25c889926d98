using System.Text.Json;

namespace Trestle.Local.Nodes.Pods;

/// <summary>
/// Why the agent ends a pod, on disk (<c>POD/.run/stop.json</c>) before the first signal goes out: whoever comes after an
/// agent that was killed in between must not take the exit codes for the pod's own.
/// </summary>
internal sealed class StopRecord(string podDirectory)
{
    private readonly string _path = Path.Combine(podDirectory, ".run", "stop.json");

    /// <summary>The cause an earlier agent recorded; null when none did.</summary>
    public StopCause? Read()
    {
        try
        {
            return File.Exists(_path) ? JsonSerializer.Deserialize(File.ReadAllBytes(_path), RunJson.Default.StopCause) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Records a cause.</summary>
    public void Write(StopCause cause)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        File.WriteAllBytes(_path + ".tmp", JsonSerializer.SerializeToUtf8Bytes(cause, RunJson.Default.StopCause));
        File.Move(_path + ".tmp", _path, overwrite: true);
    }
}
