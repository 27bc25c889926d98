namespace Trestle.Bench.CacheMount;

/// <summary>Makes rows of what was measured, with the goals beside. Pure.</summary>
public static class MountRows
{
    private static readonly (MountKind Kind, string Name, double Write, double Warm, double Creates)[] Ours =
    [
        (MountKind.FusePassthrough, "FUSE with passthrough", 0.95, 0.95, 0.5),
        (MountKind.FusePlain, "plain FUSE", 0.8, 0, 0.5),
        (MountKind.Directory, "Directory", 0.95, 0.95, 0.9),
    ];

    /// <summary>Ours beside the local disk, and beside rclone in whichever of its settings did better.</summary>
    public static IReadOnlyList<BenchRow> Of(IReadOnlyDictionary<MountKind, MountFigures> figures)
    {
        var rows = new List<BenchRow>();
        var local = figures[MountKind.LocalDisk];
        var rclone = new[] { MountKind.Rclone, MountKind.RcloneEightTransfers }.Where(figures.ContainsKey).Select(kind => figures[kind]).ToList();
        foreach (var (kind, name, write, warm, creates) in Ours)
        {
            var ours = figures[kind];
            rows.Add(AtLeast($"{name}: writes return", ours.Write / 1e9, "GB/s", "local disk", local.Write / 1e9, write));
            rows.Add(AtLeast($"{name}: warm read", ours.WarmRead / 1e9, "GB/s", "local disk", local.WarmRead / 1e9, warm));
            rows.Add(AtLeast($"{name}: create, write, close", ours.Creates, "files/s", "local disk", local.Creates, creates));
            if (ours.MemoryMiB is { } memory) rows.Add(new BenchRow($"{name}: most memory", Math.Round(memory, 1), "MiB") { Goal = 150, Met = memory < 150 });
            if (rclone.Count == 0) continue;
            const string theirs = "rclone, best of 4 and 8 transfers";
            rows.Add(AtLeast($"{name}: writes return", ours.Write / 1e9, "GB/s", theirs, rclone.Max(one => one.Write) / 1e9, 2.5));
            rows.Add(AtMost($"{name}: all in the store after", ours.AllStored!.Value, "s", theirs, rclone.Min(one => one.AllStored!.Value), 0.5));
            rows.Add(AtMost($"{name}: processor time for that", ours.Cpu!.Value, "s", theirs, rclone.Min(one => one.Cpu!.Value), 0.25));
            rows.Add(AtLeast($"{name}: warm read", ours.WarmRead / 1e9, "GB/s", theirs, rclone.Max(one => one.WarmRead) / 1e9, 10));
            rows.Add(AtLeast($"{name}: create, write, close", ours.Creates, "files/s", theirs, rclone.Max(one => one.Creates), 4));
            if (ours.ColdRead is { } cold) rows.Add(AtLeast($"{name}: read of what only the store has", cold / 1e9, "GB/s", theirs, rclone.Max(one => one.ColdRead!.Value) / 1e9, 2));
        }

        return rows;
    }

    // A goal is a ratio to the peer of the same run; 0: none.
    private static BenchRow AtLeast(string metric, double ours, string unit, string against, double theirs, double goal) =>
        Row(metric, ours, unit, against, theirs, goal, ours >= goal * theirs);

    private static BenchRow AtMost(string metric, double ours, string unit, string against, double theirs, double goal) =>
        Row(metric, ours, unit, against, theirs, goal, ours <= goal * theirs);

    private static BenchRow Row(string metric, double ours, string unit, string against, double theirs, double goal, bool isMet) =>
        new(metric, Math.Round(ours, 3), unit) { Against = against, Theirs = Math.Round(theirs, 3), Goal = goal == 0 ? null : goal, Met = goal == 0 ? null : isMet };
}
