namespace Trestle.Operator.Scheduling;

/// <summary>Says of all who wait what they wait for, once the pass is over and the figures are the same for all.</summary>
internal sealed class WaitReasons(Placer placer, Ledger ledger, PassInput input)
{
    private readonly Dictionary<GangShape, string> _blocked = [];
    private readonly Dictionary<JobFits, WaitReason> _shapes = [];
    private readonly Dictionary<(JobFits, QueueUse, int Nodes, bool OneDomain), string> _known = [];

    /// <summary>E.g. "waiting for research/low and 2 others to give up their nodes".</summary>
    public static string GiveUp(IReadOnlyList<string> jobs) =>
        jobs.Count == 1 ? $"waiting for {jobs[0]} to give up its nodes" : $"waiting for {jobs[0]} and {(jobs.Count == 2 ? "1 other" : $"{jobs.Count - 1} others")} to give up their nodes";

    /// <summary>Takes note of the task that keeps a group from fitting, while the nodes of the others are taken.</summary>
    public void Blocked(GangShape shape, GangJob job) =>
        _blocked[shape] = $"{job.Job.Name}: {new WaitReason(placer.Of(job), ledger).For(job.Nodes, job.NeedsOneDomain)}; the tasks of the group start together";

    /// <summary>What was noted about a group; null for nothing.</summary>
    public string? Of(GangShape shape) => _blocked.GetValueOrDefault(shape);

    /// <summary>The waiting, numbered and with their reasons.</summary>
    public List<WaitingGang> For(IReadOnlyList<(Gang Gang, string? Reason)> waiting, IReadOnlyList<Promise> promises)
    {
        var list = new List<WaitingGang>(waiting.Count);
        var own = promises.Where(promise => promise.IsReservation).Select(promise => promise.Gang.Uid).ToHashSet();
        foreach (var (gang, known) in waiting)
        {
            var reason = known ?? Reason(gang, promises);
            if (own.Contains(gang.Uid)) reason = $"nodes are reserved for it as they become free; {reason}";
            if (gang.KeepsNodes) reason = $"keeps {(gang.Jobs[0].Kept.Count == 1 ? "1 node" : $"{gang.Jobs[0].Kept.Count} nodes")} of its last attempt; {reason}";
            list.Add(new WaitingGang(gang, list.Count + 1, reason));
        }

        return list;
    }

    private string Reason(Gang gang, IReadOnlyList<Promise> promises)
    {
        var job = gang.Jobs[0];
        if (gang.Jobs.Count > 1) return QuotaBook.Reason(input.Quotas.Demand(gang)) ?? Nodes(gang, job, promises);
        var key = (placer.Of(job), input.Quotas.Of(job.Queue), job.Nodes, job.NeedsOneDomain);
        if (gang.KeepsNodes || !_known.TryGetValue(key, out var reason)) _known[key] = reason = QuotaBook.Reason(input.Quotas.Demand(gang)) ?? Nodes(gang, job, promises);
        return reason;
    }

    private string Nodes(Gang gang, GangJob job, IReadOnlyList<Promise> promises)
    {
        var fits = placer.Of(job);
        if (fits.HasRoom(Room.Now, job) && promises.FirstOrDefault(promise => promise.Gang != gang && promise.Touches(fits)) is { } other) return other.Reason;
        if (!_shapes.TryGetValue(fits, out var shape)) _shapes[fits] = shape = new WaitReason(fits, ledger);
        return shape.For(Math.Max(job.Nodes - job.Kept.Count, 1), job.NeedsOneDomain);
    }
}
