using Trestle.Api.V1Alpha1;
using Demands = System.Collections.Generic.List<(Trestle.Operator.Scheduling.QueueUse Queue, long[] Demand)>;

namespace Trestle.Operator.Scheduling;

/// <summary>
/// Gives nodes to gangs, whole gangs in order (<see cref="GangOrder"/>). A gang that doesn't fit now is promised what is about to
/// be free if it fits then; else it preempts, if that lets it in (<see cref="Preemption"/>); else, when it waited too long, the
/// nodes that can be free soonest are reserved for it; else it waits and is passed by smaller ones. Who would borrow quota comes
/// when everybody else had a turn, so that nobody borrows what its owner needs. Pure.
/// </summary>
internal sealed class AdmissionPass
{
    private readonly PassInput _input;
    private readonly Ledger _ledger;
    private readonly Placer _placer;
    private readonly Preemption _preemption;
    private readonly Starvation _starvation;
    private readonly WaitReasons _reasons;
    private readonly List<AdmittedJob> _admitted = [];
    private readonly List<Eviction> _evictions = [];
    private readonly List<Promise> _promises = [];
    private readonly List<WaitingKind> _waiting = [];
    private readonly List<(Gang Gang, int At)> _deferred = [];
    private readonly GangKinds _kinds;

    private AdmissionPass(PassInput input)
    {
        _input = input;
        _ledger = new Ledger(input.Snapshot.Nodes);
        _placer = new Placer(_ledger, input.Promised);
        _preemption = new Preemption(input, _ledger, _placer);
        _starvation = new Starvation(input, _placer);
        _kinds = new GangKinds(_placer, input.Quotas);
        _reasons = new WaitReasons(_placer, _ledger, input);
    }

    /// <summary>Decides about gangs that compete for nodes alone.</summary>
    public static PassResult Run(IReadOnlyList<PassNode> nodes, IEnumerable<Gang> gangs) =>
        Run(new PassInput(new NodeSnapshot(nodes, new Dictionary<string, JobHold>()), [.. gangs], new QuotaBook([], nodes)));

    /// <summary>Decides about all gangs.</summary>
    public static PassResult Run(PassInput input) => new AdmissionPass(input).Run();

    private PassResult Run()
    {
        _evictions.AddRange(_preemption.FinishBegun());
        foreach (var gang in new GangOrder(_input.Gangs, _input.Quotas).All()) Decide(gang, mayBorrow: gang.Begun);
        foreach (var (gang, at) in _deferred) Decide(gang, mayBorrow: true, at);
        _waiting.RemoveAll(waiting => waiting.Reason == Deferred);

        // Figures in reasons are those without promises: what is promised to one is free as far as it goes.
        foreach (var promise in _promises) promise.TakeBack(_placer);
        return new PassResult(_admitted, _reasons.For(_waiting, _promises)) { Evictions = _evictions, Promised = Promised(), Next = Next() };
    }

    // Holds a place in the order until the second turn.
    private const string Deferred = "deferred";

    private void Decide(Gang gang, bool mayBorrow, int? at = null)
    {
        var kind = _kinds.Of(gang);
        if (_evictions.Count > 0 && gang.Jobs.Any(job => _preemption.IsEvicted(job.Uid))) Wait(gang, kind, at, "the nodes that were kept for its restart go to a job before it");
        else if (_kinds.Fails(kind)) Wait(gang, kind, at, null);
        else Decide(gang, kind, mayBorrow, at);
    }

    private void Decide(Gang gang, GangKind kind, bool mayBorrow, int? at)
    {
        var demands = _input.Quotas.Demand(gang);
        var kept = KeptNodes.Release(gang, _input, _ledger, demands);
        var (now, later) = (QuotaBook.Check(demands, Room.Now), QuotaBook.Check(demands, Room.Later));
        if (!mayBorrow && now != QuotaAnswer.Within && later == QuotaAnswer.Borrows)
        {
            kept?.Restore();
            _deferred.Add((gang, _waiting.Count));
            _waiting.Add(new WaitingKind(gang, kind, Deferred));
            return;
        }

        if (now != QuotaAnswer.Refused && (Place(gang, kind) ?? PlaceFewer(gang)) is { } placed)
        {
            Admit(gang, placed, demands, kept);
            return;
        }

        var reason = later != QuotaAnswer.Refused && Promised(gang, demands) is { } promised ? promised
            : Preempts(gang, demands) is { } preempts ? preempts
            : null;
        if (reason is null && now != QuotaAnswer.Refused) Reserve(gang);
        kept?.Restore();
        if (reason is null) _kinds.Fail(kind);
        if (reason is null && kept is not null && (now == QuotaAnswer.Refused || _starvation.IsOver(gang.Jobs[0].KeptSince))) GiveUpKept(gang, now == QuotaAnswer.Refused);
        Wait(gang, kind, at, reason);
    }

    private void Wait(Gang gang, GangKind kind, int? at, string? reason)
    {
        // A group is told what holds it back while the nodes of its other tasks are taken.
        if (reason is null && kind.Blocked is var (task, why)) reason = $"{gang.Jobs[task].Job.Name}: {why}; the tasks of the group start together";
        var waiting = new WaitingKind(gang, kind, reason);
        if (at is { } place) _waiting[place] = waiting;
        else _waiting.Add(waiting);
    }

    private List<Placement>? Place(Gang gang, GangKind kind) =>
        gang.Jobs.Count > 1 ? _placer.Take(gang, Room.Now, job => kind.Blocked = (gang.Jobs.Index().First(pair => ReferenceEquals(pair.Item, job)).Index, _reasons.While(job)))
        : Quick(gang, Room.Now) ? _placer.Take(gang, Room.Now)
        : null;

    // An elastic job that restarts goes on with what there is.
    private List<Placement>? PlaceFewer(Gang gang)
    {
        if (gang.Jobs is not [var job] || job.Fewest == job.Nodes) return null;
        var fit = _placer.Of(job).In(Room.Now);
        var ranks = Math.Min(job is { NeedsOneDomain: true, TopologyKey: not null } ? fit.BestDomain() : fit.Total, job.Nodes - 1);
        return ranks < job.Fewest ? null : _placer.Take(gang with { Jobs = [job with { Nodes = (int)ranks }] }, Room.Now);
    }

    private bool Quick(Gang gang, Room room) => gang.KeepsNodes || _placer.Of(gang.Jobs[0]).HasRoom(room, gang.Jobs[0]);

    private void Admit(Gang gang, List<Placement> placed, Demands demands, KeptNodes? kept)
    {
        foreach (var placement in placed) _admitted.Add(new AdmittedJob(placement.Job, [.. placement.NodeOfRank.Select(node => _ledger.Nodes[node].Name)]));
        QuotaBook.Give(demands, now: true);
        foreach (var job in gang.Jobs) _input.Quotas.Of(job.Queue).Admit(wasCounted: kept is not null);
        kept?.TakeOldPods(placed[0]);
        if (kept is not null) _kinds.GrowRoom();
        _preemption.IsAdmitted(gang);
    }

    private Dictionary<string, IReadOnlyList<RankAssignment>> Promised() => _promises.Where(promise => !promise.IsReservation).SelectMany(promise => promise.Placed).ToDictionary(
        placement => placement.Job.Uid,
        placement => (IReadOnlyList<RankAssignment>)[.. placement.NodeOfRank.Select((node, rank) => new RankAssignment { Rank = rank, Node = _ledger.Nodes[node].Name })]);

    // Room that is about to be free goes to the first in order that it lets in.
    private string? Promised(Gang gang, Demands demands)
    {
        if (!_ledger.HasLater && QuotaBook.Check(demands, Room.Now) != QuotaAnswer.Refused) return null;
        if (gang.Jobs.Count == 1 && !Quick(gang, Room.Later)) return null;
        if (_placer.Take(gang, Room.Later) is not { } placed) return null;
        QuotaBook.Give(demands, now: false);
        var leaving = placed.SelectMany(placement => placement.Fill).SelectMany(part => _ledger.Nodes[part.Node].Leaving).Select(job => job.ToString()).Distinct().ToList();
        _promises.Add(new Promise(gang, placed, IsReservation: false, $"nodes are held for {gang.Name}, which starts when they are free"));
        return leaving.Count == 0 ? "waiting for pods that were told to end on its nodes" : WaitReasons.GiveUp(leaving);
    }

    private string? Preempts(Gang gang, Demands demands)
    {
        if (_preemption.Try(gang, demands) is not var (placed, evictions)) return null;
        _evictions.AddRange(evictions);
        _kinds.GrowRoom();
        QuotaBook.Give(demands, now: false);
        _promises.Add(new Promise(gang, placed, IsReservation: false, $"nodes are held for {gang.Name}, which starts when they are free"));
        return WaitReasons.GiveUp([.. evictions.Select(eviction => eviction.Job.ToString())]);
    }

    private void Reserve(Gang gang)
    {
        if (_starvation.Reserve(gang) is { } placed)
            _promises.Add(new Promise(gang, placed, IsReservation: true, $"nodes are reserved for {gang.Name}, which has waited for over {Amounts.Over(_input.Now.UtcDateTime - gang.QueuedAt)}"));
    }

    private void GiveUpKept(Gang gang, bool isRefused)
    {
        var why = isRefused ? "the quota of its queue is used up" : $"it could not be made whole within {Amounts.Over(_input.StarvationTimeout)}";
        _evictions.Add(new Eviction(gang.Jobs[0].Job, null, IsRestart: true, $"gave up the nodes kept for its restart: {why}"));
    }

    private DateTimeOffset? Next()
    {
        if (_waiting.Count == 0) return null;
        DateTimeOffset? next = null;
        var highest = int.MinValue;
        foreach (var (gang, _, _) in _waiting)
        {
            highest = Math.Max(highest, gang.Priority);
            Sooner(_starvation.Begins(gang.QueuedAt));
            if (gang.Jobs[0].KeptSince is { } since) Sooner(_starvation.Begins(since.UtcDateTime));
        }

        Sooner(_preemption.Unprotects(highest));
        return next;

        void Sooner(DateTimeOffset? time)
        {
            if (time > _input.Now && (next is null || time < next)) next = time;
        }
    }
}
