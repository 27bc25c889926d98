using System.Globalization;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Plane;

/// <summary>
/// Records a process by id, and beside it (<c>.started</c>) its start time, so that a later process with the same id is
/// never taken for it.
/// </summary>
internal sealed class PidFile(string path)
{
    /// <summary>Records a process.</summary>
    public void Write(int pid)
    {
        var started = ProcessTable.Find(pid)?.StartTicks ?? 0;
        Put(path + ".started", started.ToString(CultureInfo.InvariantCulture));
        Put(path, pid.ToString(CultureInfo.InvariantCulture) + "\n");
    }

    /// <summary>The recorded process if it still runs.</summary>
    public int? Alive()
    {
        if (!int.TryParse(ProcessTable.Read(path)?.Trim(), CultureInfo.InvariantCulture, out var pid)) return null;
        var started = long.TryParse(ProcessTable.Read(path + ".started")?.Trim(), CultureInfo.InvariantCulture, out var ticks) ? ticks : -1;
        return ProcessTable.Find(pid)?.StartTicks == started ? pid : null;
    }

    /// <summary>Forgets the process.</summary>
    public void Delete()
    {
        File.Delete(path);
        File.Delete(path + ".started");
    }

    private static void Put(string file, string text)
    {
        File.WriteAllText(file + ".tmp", text);
        File.Move(file + ".tmp", file, overwrite: true);
    }
}
