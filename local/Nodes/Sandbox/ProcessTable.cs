using System.Globalization;

namespace Trestle.Local.Nodes.Sandbox;

/// <summary>A process, told from a later one with the same id by its start time in clock ticks since boot.</summary>
public readonly record struct ProcessIdentity(int Pid, long StartTicks);

/// <summary>Reads /proc (proc(5)).</summary>
public static class ProcessTable
{
    /// <summary>Identity of a live process; null when it is gone or only a zombie is left.</summary>
    public static ProcessIdentity? Find(int pid) => Read($"/proc/{pid}/stat") is { } stat ? ParseStat(stat) : null;

    /// <summary>Whether exactly this process still runs.</summary>
    public static bool IsAlive(ProcessIdentity process) => Find(process.Pid) == process;

    /// <summary>Parses a line of /proc/PID/stat; null for a zombie or a torn line.</summary>
    public static ProcessIdentity? ParseStat(string stat)
    {
        var open = stat.IndexOf('(');
        var close = stat.LastIndexOf(')');
        if (open < 2 || close < open) return null;
        var fields = stat[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 20 || fields[0] is "Z" or "X") return null;
        return int.TryParse(stat.AsSpan(0, open).Trim(), CultureInfo.InvariantCulture, out var pid) && long.TryParse(fields[19], CultureInfo.InvariantCulture, out var start)
            ? new ProcessIdentity(pid, start)
            : null;
    }

    /// <summary>Value of a variable in the environment a process was started with; null when unset or unreadable.</summary>
    public static string? StartVariable(int pid, string name)
    {
        var prefix = name + "=";
        return Read($"/proc/{pid}/environ")?.Split('\0').FirstOrDefault(v => v.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];
    }

    /// <summary>Ids of every process of this machine that is visible here.</summary>
    public static IEnumerable<int> All()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), CultureInfo.InvariantCulture, out var pid)) yield return pid;
        }
    }

    /// <summary>Process 2 of the pid namespace whose process 1 is <paramref name="init"/>: the container's own command.</summary>
    public static int? CommandOf(int init)
    {
        foreach (var child in ChildrenOf(init))
        {
            var line = Read($"/proc/{child}/status")?.Split('\n').FirstOrDefault(l => l.StartsWith("NSpid:", StringComparison.Ordinal));
            if (line?.Split('\t', StringSplitOptions.RemoveEmptyEntries)[^1] == "2") return child;
        }

        return null;
    }

    /// <summary>Text of a small file; null when it can't be read.</summary>
    public static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static IEnumerable<int> ChildrenOf(int pid)
    {
        var listed = Read($"/proc/{pid}/task/{pid}/children");
        if (listed is not null) return listed.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => int.Parse(p, CultureInfo.InvariantCulture));
        return All().Where(p => Read($"/proc/{p}/stat") is { } stat && ParentOf(stat) == pid);
    }

    private static int ParentOf(string stat)
    {
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 1 ? int.Parse(fields[1], CultureInfo.InvariantCulture) : 0;
    }
}
