namespace Trestle.Operator.Scheduling;

/// <summary>Says of all who wait what they wait for, once the pass is over and the figures are the same for all.</summary>
internal sealed class WaitReasons(Placer placer, Ledger ledger, PassInput input)
{
    private readonly Dictionary<JobFits, WaitReason> _shapes = [];

    /// <summary>E.g. "waiting for research/low and 2 others to give up their nodes".</summary>
    public static string GiveUp(IReadOnlyList<string> jobs) =>
        jobs.Count == 1 ? $"waiting for {jobs[0]} to give up its nodes" : $"waiting for {jobs[0]} and {(jobs.Count == 2 ? "1 other" : $"{jobs.Count - 1} others")} to give up their nodes";

    /// <summary>What keeps a job from fitting at this moment of the pass.</summary>
    public string While(GangJob job) => new WaitReason(placer.Of(job), ledger).For(job.Nodes, job.NeedsOneDomain);

    /// <summary>The waiting, numbered and with their reasons.</summary>
    public List<WaitingGang> For(List<WaitingKind> waiting, IReadOnlyList<Promise> promises)
    {
        var list = new List<WaitingGang>(waiting.Count);
        var own = promises.Where(promise => promise.IsReservation).Select(promise => promise.Gang.Uid).ToHashSet();
        foreach (var (gang, kind, known) in waiting)
        {
            var reason = known ?? (kind.Reason ??= Reason(gang, promises));
            if (own.Count > 0 && own.Contains(gang.Uid)) reason = $"nodes are reserved for it as they become free; {reason}";
            if (gang.KeepsNodes) reason = $"keeps {(gang.Jobs[0].Kept.Count == 1 ? "1 node" : $"{gang.Jobs[0].Kept.Count} nodes")} of its last attempt; {reason}";
            list.Add(new WaitingGang(gang, list.Count + 1, reason));
        }

        return list;
    }

    private string Reason(Gang gang, IReadOnlyList<Promise> promises) => QuotaBook.Reason(input.Quotas.Demand(gang)) ?? Nodes(gang, gang.Jobs[0], promises);

    private string Nodes(Gang gang, GangJob job, IReadOnlyList<Promise> promises)
    {
        var fits = placer.Of(job);
        if (fits.HasRoom(Room.Now, job) && promises.FirstOrDefault(promise => promise.Gang != gang && promise.Touches(fits)) is { } other) return other.Reason;
        if (!_shapes.TryGetValue(fits, out var shape)) _shapes[fits] = shape = new WaitReason(fits, ledger);
        return shape.For(Math.Max(job.Nodes - job.Kept.Count, 1), job.NeedsOneDomain);
    }
}
