using Demands = System.Collections.Generic.List<(Trestle.Operator.Scheduling.QueueUse Queue, long[] Demand)>;

namespace Trestle.Operator.Scheduling;

/// <summary>
/// What is kept for the restart of a gang, given back for the time in which it is decided about. Pods of its last attempt that
/// are about to end are its own room too: its new pods are let go when they have left.
/// </summary>
internal sealed class KeptNodes
{
    private readonly Ledger _ledger;
    private readonly JobHold _hold;
    private readonly Demands _demands;

    private KeptNodes(Ledger ledger, JobHold hold, Demands demands) => (_ledger, _hold, _demands) = (ledger, hold, demands);

    /// <summary>Gives them back; null when the gang keeps none.</summary>
    public static KeptNodes? Release(Gang gang, PassInput input, Ledger ledger, Demands demands)
    {
        if (!gang.KeepsNodes || !input.Snapshot.Holds.TryGetValue(gang.Jobs[0].Uid, out var hold)) return null;
        var kept = new KeptNodes(ledger, hold, demands);
        kept.Move(-1);
        return kept;
    }

    /// <summary>Keeps them for it as before.</summary>
    public void Restore() => Move(1);

    /// <summary>After its admission: what its old pods hold beyond its new ranks is not free yet.</summary>
    public void TakeOldPods(Placement placement)
    {
        var ranks = placement.Fill.ToDictionary(part => part.Node, part => part.Ranks);
        foreach (var (node, old) in _hold.Old ?? new Dictionary<int, Dictionary<string, long>>())
        {
            _ledger.TakeNow(node, _ledger.Known(JobHold.Beyond(old, placement.Job.Shape, ranks.GetValueOrDefault(node))), 1);
        }
    }

    private void Move(int sign)
    {
        foreach (var (node, amounts) in _hold.Live) _ledger.Take(node, _ledger.Known(amounts), sign);
        foreach (var (node, amounts) in _hold.Extra) _ledger.TakeNow(node, _ledger.Known(amounts), sign);
        QuotaBook.Add(_demands, sign, now: true, later: true);
    }
}
