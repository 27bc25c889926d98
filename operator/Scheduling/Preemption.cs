using Demands = System.Collections.Generic.List<(Trestle.Operator.Scheduling.QueueUse Queue, long[] Demand)>;

namespace Trestle.Operator.Scheduling;

/// <summary>
/// Chooses who gives way: whole units of strictly lower priority that are preemptible and ran for their minimum, and units of
/// queues that borrow when the gang stays within the quota of its own. Nodes kept for restarts go to whoever comes before the
/// restart in order. Units are taken least important first until the gang fits; then those that are not needed after all are
/// left alone, the most important first. If the gang does not fit even so, nobody gives way. A gang that would borrow preempts
/// nobody, so that no two can preempt each other for ever.
/// </summary>
internal sealed class Preemption
{
    private readonly PassInput _input;
    private readonly Ledger _ledger;
    private readonly Placer _placer;
    private readonly List<RunningUnit> _units;
    private readonly Dictionary<string, RunningUnit> _unitOf = [];
    private readonly Dictionary<string, (int Node, Ask Ask)[]> _live = [];
    private readonly HashSet<string> _evicted = [];
    private readonly Dictionary<(JobFits, QueueUse, bool OneDomain), (int Priority, int Nodes)> _failed = [];
    private readonly Dictionary<(int Priority, bool OnlyLower), Reach> _reach = [];

    public Preemption(PassInput input, Ledger ledger, Placer placer)
    {
        (_input, _ledger, _placer) = (input, ledger, placer);
        _units = [.. RunningUnit.Sort(input.Units)];
        foreach (var unit in _units)
        {
            foreach (var job in unit.Jobs) _unitOf[job.Uid] = unit;
        }
    }

    /// <summary>Whether what a job keeps for its restart went to another in this pass.</summary>
    public bool IsEvicted(string uid) => _evicted.Contains(uid);

    /// <summary>A restart has its nodes: nobody can take what was kept for it any more.</summary>
    public void IsAdmitted(Gang gang)
    {
        foreach (var job in gang.Jobs)
        {
            if (!_unitOf.Remove(job.Uid, out var unit)) continue;
            _units.Remove(unit);
            _reach.Clear();
        }
    }

    /// <summary>A group that gives way does so whole: what was cut off by a crash or a conflict is done now.</summary>
    public IReadOnlyList<Eviction> FinishBegun()
    {
        var begun = _units.FindAll(unit => unit.Leaving is not null);
        foreach (var unit in begun) Free(unit, 1);
        return [.. begun.SelectMany(unit => Evict(unit, null, unit.Leaving!))];
    }

    /// <summary>When the next unit below a priority loses the protection of its minimal run time; null for none.</summary>
    public DateTimeOffset? Unprotects(int priority) =>
        _units.Where(unit => unit.Priority < priority && unit.IsPreemptible && unit.ProtectedUntil > _input.Now).Min(unit => (DateTimeOffset?)unit.ProtectedUntil);

    /// <summary>Finds who gives way and takes their nodes for the gang; null when that does not let it in.</summary>
    public (List<Placement> Placed, IReadOnlyList<Eviction> Evictions)? Try(Gang gang, Demands demands)
    {
        if (_units.Count == 0 || IsKnownToFail(gang)) return null;
        var onlyLower = !gang.KeepsNodes && !_input.Quotas.MayTakeBack(demands);
        if (!gang.KeepsNodes && !ReachOf(gang.Priority, onlyLower).HasRoom(gang, _placer)) return null;
        var taken = new List<RunningUnit>();
        List<Placement>? placed = null;
        foreach (var unit in _units)
        {
            if (onlyLower && unit.Priority >= gang.Priority) break;
            if (!MayTake(gang, unit, demands) || !Helps(unit, gang, demands)) continue;
            Free(unit, 1);
            taken.Add(unit);
            placed = Fit(gang, demands);
            if (placed is not null) break;
        }

        if (placed is null)
        {
            foreach (var unit in taken) Free(unit, -1);
            Failed(gang);
            return null;
        }

        placed = Reprieve(gang, demands, taken, placed);
        _reach.Clear();
        return (placed, [.. taken.SelectMany(unit => Evict(unit, gang, Message(gang, unit)))]);
    }

    private Reach ReachOf(int priority, bool onlyLower)
    {
        if (_reach.TryGetValue((priority, onlyLower), out var known)) return known;
        var room = new Ledger(_ledger);
        foreach (var unit in _units)
        {
            if (!IsWilling(unit) || (onlyLower && unit.Priority >= priority)) continue;
            if (unit.Priority >= priority && !unit.Jobs.All(job => job.Queue.Borrows)) continue;
            foreach (var (node, ask) in unit.Jobs.SelectMany(Live)) room.TakeLater(node, ask, -1);
        }

        return _reach[(priority, onlyLower)] = new Reach(room);
    }

    private bool IsWilling(RunningUnit unit) => unit.Leaving is null && (unit.IsRestart || (unit.IsPreemptible && unit.ProtectedUntil <= _input.Now));

    private List<Placement> Reprieve(Gang gang, Demands demands, List<RunningUnit> taken, List<Placement> placed)
    {
        for (var at = taken.Count - 1; at >= 0 && taken.Count > 1; at--)
        {
            _placer.GiveBack(placed, Room.Later);
            Free(taken[at], -1);
            var without = Fit(gang, demands);
            if (without is null) Free(taken[at], 1);
            else taken.RemoveAt(at);
            placed = without ?? Fit(gang, demands) ?? throw new InvalidOperationException("a gang that fitted fits no more");
        }

        return placed;
    }

    private List<Placement>? Fit(Gang gang, Demands demands) =>
        QuotaBook.Check(demands, Room.Later) != QuotaAnswer.Within || (gang.Jobs.Count == 1 && !gang.KeepsNodes && !_placer.Of(gang.Jobs[0]).HasRoom(Room.Later, gang.Jobs[0]))
            ? null
            : _placer.Take(gang, Room.Later);

    private bool MayTake(Gang gang, RunningUnit unit, Demands demands)
    {
        if (!IsWilling(unit)) return false;
        var mayTake = unit.Priority < gang.Priority || (unit.IsRestart
            ? gang.KeepsNodes && GangOrder.IsBefore(gang.Priority, gang.QueuedAt, gang.Uid, unit.Priority, unit.QueuedAt, unit.Uid)
            : unit.Jobs.All(job => QuotaBook.BorrowsFrom(job.Queue, demands)));
        return mayTake && unit.Uid != gang.Uid && !gang.Jobs.Any(job => _unitOf.GetValueOrDefault(job.Uid) == unit);
    }

    private bool Helps(RunningUnit unit, Gang gang, Demands demands)
    {
        foreach (var job in unit.Jobs)
        {
            foreach (var (queue, _) in demands)
            {
                if (queue == job.Queue) return true;
            }

            foreach (var (node, _) in Live(job))
            {
                foreach (var other in gang.Jobs)
                {
                    if (_placer.Of(other).Matches[node]) return true;
                }
            }
        }

        return false;
    }

    private void Free(RunningUnit unit, int sign)
    {
        foreach (var job in unit.Jobs)
        {
            job.Queue.Add(job.Demand, -sign, now: false, later: true);
            foreach (var (node, ask) in Live(job)) _ledger.TakeLater(node, ask, -sign);
        }
    }

    private (int Node, Ask Ask)[] Live(UnitJob job)
    {
        if (_live.TryGetValue(job.Uid, out var known)) return known;
        return _live[job.Uid] = _input.Snapshot.Holds.TryGetValue(job.Uid, out var hold) ? [.. hold.Live.Select(part => (part.Node, _ledger.Known(part.Amounts)))] : [];
    }

    private List<Eviction> Evict(RunningUnit unit, Gang? gang, string message)
    {
        _units.Remove(unit);
        foreach (var job in unit.Jobs) _evicted.Add(job.Uid);
        return [.. unit.Jobs.Select(job => new Eviction(job.Job, gang, unit.IsRestart, message))];
    }

    private static string Message(Gang gang, RunningUnit unit) =>
        unit.IsRestart ? $"gave up the nodes kept for its restart to {gang.Name}"
        : unit.Priority < gang.Priority ? $"preempted by {gang.Name} of priority {Amounts.Whole(gang.Priority)}"
        : $"preempted by {gang.Name}, whose queue takes back what was borrowed of its quota";

    // Who comes later, is as large and no more important can't take more: what was taken in between only made it less.
    private bool IsKnownToFail(Gang gang) =>
        gang.Jobs.Count == 1 && !gang.KeepsNodes && _failed.TryGetValue(Key(gang), out var failed) && gang.Priority <= failed.Priority && gang.Jobs[0].Nodes >= failed.Nodes;

    private void Failed(Gang gang)
    {
        if (gang.Jobs.Count == 1 && !gang.KeepsNodes) _failed[Key(gang)] = (gang.Priority, gang.Jobs[0].Nodes);
    }

    private (JobFits, QueueUse, bool OneDomain) Key(Gang gang) => (_placer.Of(gang.Jobs[0]), _input.Quotas.Of(gang.Jobs[0].Queue), gang.Jobs[0].NeedsOneDomain);
}
