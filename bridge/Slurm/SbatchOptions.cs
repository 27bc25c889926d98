namespace Trestle.Bridge.Slurm;

/// <summary>
/// The options of sbatch that a SlurmJob may have. What the bridge sets itself (name, dependency, files), what runs or reads other
/// things (wrap, export, prolog-like options, other clusters, other users) and what is unknown is refused.
/// </summary>
internal static class SbatchOptions
{
    private const int Longest = 4096;

    private static readonly HashSet<string> WithValue = new(StringComparer.Ordinal)
    {
        "account", "partition", "qos", "time", "time-min", "deadline", "begin", "nice", "priority", "reservation", "licenses", "wckey", "comment",
        "nodes", "ntasks", "ntasks-per-node", "ntasks-per-gpu", "ntasks-per-socket", "cpus-per-task", "cpus-per-gpu", "mincpus", "cores-per-socket", "threads-per-core", "sockets-per-node",
        "mem", "mem-per-cpu", "mem-per-gpu", "tmp", "gres", "gpus", "gpus-per-node", "gpus-per-task", "gpus-per-socket", "gpu-bind", "gpu-freq", "gres-flags",
        "constraint", "prefer", "exclude", "nodelist", "switches", "distribution", "hint", "core-spec", "network", "signal", "mail-type", "mail-user", "exclusive",
    };

    private static readonly HashSet<string> Alone = new(StringComparer.Ordinal) { "exclusive", "no-requeue", "requeue", "contiguous", "overcommit", "spread-job", "use-min-nodes", "hold", "oversubscribe" };

    /// <summary>A sentence about the first option that can't be used; null when all can.</summary>
    public static string? Refusal(IReadOnlyList<string>? options) => options?.Select(RefusalOf).FirstOrDefault(refusal => refusal is not null);

    private static string? RefusalOf(string option)
    {
        var shown = Printable.Text(option, 60);
        if (option.Length > Longest) return $"option '{shown}' is longer than {Longest} letters; shorten it";
        if (option.Any(char.IsControl)) return $"option '{shown}' has a control character; remove it";
        if (!option.StartsWith("--", StringComparison.Ordinal)) return $"option '{shown}' must be written as --name=value";
        var parts = option[2..].Split('=', 2);
        if (parts.Length == 1 ? Alone.Contains(parts[0]) : WithValue.Contains(parts[0]) && parts[1].Length > 0) return null;
        return WithValue.Contains(parts[0]) ? $"option '{shown}' needs a value: --{parts[0]}=…"
            : Alone.Contains(parts[0]) ? $"option '{shown}' takes no value"
            : $"option '{shown}' is none that a job may set; remove it";
    }
}
