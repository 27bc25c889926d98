using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Slurm;
using Trestle.Operator.Views;

namespace Trestle.Operator.TrainingJobs;

/// <summary>
/// One execution from its admission to its end. Its pods are created gated and let go when all of them exist and none of an
/// older attempt holds a node; the first rank that fails ends it; it has succeeded when all ranks have.
/// </summary>
internal sealed class Attempt : IAttempt
{
    private readonly Draft _draft;
    private readonly TrainingJobStatus _status;
    private readonly int _number;
    private readonly int _size;
    private readonly Dictionary<int, string> _nodes;
    private readonly Dictionary<int, PodView> _pods;
    private readonly HashSet<int> _finished;

    public Attempt(Draft draft)
    {
        _draft = draft;
        _status = draft.Status;
        _number = _status.Admission!.Attempt;
        _size = draft.Job.AttemptSize;
        _nodes = (_status.Admission.Ranks ?? []).ToDictionary(rank => rank.Rank, rank => rank.Node);
        _finished = Finished();
        _pods = draft.Seen.Pods.Where(pod => pod.Attempt() == _number && pod.Rank() is var rank && rank >= 0 && rank < _size).ToDictionary(pod => pod.Rank());
    }

    /// <summary>Every rank ended with exit code 0, and none because it was told to end.</summary>
    public bool HasSucceeded => _finished.Count == _size;

    private string JobName => _draft.Job.Metadata.Name;

    // How long all ranks have run; zero while they don't.
    private TimeSpan RanFor => _status.Since(StatusConditions.PodsReady) is { } ready ? _draft.Now - ready : TimeSpan.Zero;

    // By the clock of the node: off by as much as that is.
    private TimeSpan? SinceFinish => _pods.Values.Where(pod => _finished.Contains(pod.Rank())).Max(RankStates.FinishedAt) is { } finished ? _draft.Now.UtcDateTime - finished : null;

    private string Fewer => _size < _draft.Job.NodeCount ? $", {_draft.Job.NodeCount} asked for" : "";

    // Those in need of a judgement: a rank that finished stays finished, even when its pod is cleaned away.
    private IEnumerable<PodView> Open => _pods.Values.Where(pod => !_finished.Contains(pod.Rank()));

    // Another scheduler binds the pods, where and when it likes.
    private bool IsPlacedElsewhere => _status.Admission!.Ranks is null;

    public void Succeed()
    {
        Report();
        (_status.Timeline ??= new TrainingJobTimeline()).StartedAt ??= _draft.Now.UtcDateTime;
        _draft.End(TrainingJobPhase.Succeeded, "Completed", _size == 1 ? "finished" : $"all {_size} nodes finished");
    }

    /// <summary>One step on.</summary>
    public void Go()
    {
        Report();
        _status.Placement ??= new PlacementStatus { Kubernetes = new KubernetesPlacement() };
        if ((_draft.Seen.Refusal ?? Failures.First(_draft.Job.Spec.Recovery, Open, _draft.Seen.LostNodes)) is { } failure) Fail(failure);
        else if (_status.Phase is TrainingJobPhase.Admitted or TrainingJobPhase.Queued) Gather();
        else if (Gone() is { } gone) Fail(gone);
        else Run();
    }

    private void Gather()
    {
        var missing = Enumerable.Range(0, _size).Where(rank => !_pods.ContainsKey(rank)).ToList();
        var older = _draft.Seen.Pods.Count(pod => pod.Attempt() != _number && Leftovers.HoldsNode(pod, _draft.Seen, _draft.Now)) + _draft.Seen.SlurmJobs.Where(job => !job.HasEnded()).Sum(job => job.Spec.Nodes ?? 1);
        if (missing.Count > 0)
        {
            _draft.Do(new EnsureObjects(_number));
            _draft.Do(new CreatePods(_number, missing));
        }
        else if (older > 0)
        {
            var reserved = _status.Phase == TrainingJobPhase.Admitted ? $"{Draft.Nodes(_size)} reserved; " : "";
            _draft.Become(_status.Phase!.Value, "WaitingForOldPods", $"{reserved}waiting for {Draft.Nodes(older)} of the last attempt to end");
            _draft.LookAgain(Leftovers.LookAgain);
        }
        else if (IsPlacedElsewhere && Open.Where(pod => pod.Spec.NodeName is null).MinBy(pod => pod.Rank()) is { } unbound)
        {
            Release();
            var words = _status.Queue?.Reason ?? NotScheduled(unbound);
            _draft.Become(_status.Phase!.Value, "WaitingForScheduler", PlacedElsewhere.Message(_draft.Job, PlacedElsewhere.Placer(_draft.Job), words));
        }
        else
        {
            Release();
            (_status.Timeline ??= new TrainingJobTimeline()).AdmittedAt ??= _draft.Now.UtcDateTime;
            if (_status.Queue is { } queue) _status.Queue = new QueueStatus { QueuedAt = queue.QueuedAt };
            _draft.Become(TrainingJobPhase.Starting, "Starting", $"{Draft.Nodes(_size)} starting on kubernetes");
            _draft.LookAgain(_draft.Seen.StartTimeout);
        }
    }

    private void Release()
    {
        var gated = _pods.Values.Where(pod => pod.Spec.SchedulingGates?.Exists(gate => gate.Name == Names.AdmissionGate) == true).OrderBy(pod => pod.Rank()).Select(pod => new PinnedPod(pod, _nodes.GetValueOrDefault(pod.Rank()))).ToList();
        if (gated.Count > 0) _draft.Do(new Release(gated));
    }

    private RankFailure? Gone()
    {
        var gone = Enumerable.Range(0, _size).FirstOrDefault(rank => !_pods.ContainsKey(rank) && !_finished.Contains(rank), -1);
        return gone < 0 ? null : new RankFailure(FailureCause.Infrastructure, gone, "PodDeleted", $"the pod of rank {gone} is gone") { Node = _nodes.GetValueOrDefault(gone) };
    }

    private void Run()
    {
        Release();
        var running = _status.Nodes!.Ready ?? 0;
        if (_status.Phase == TrainingJobPhase.Starting && !Open.All(RankStates.HasStarted))
        {
            _draft.Become(TrainingJobPhase.Starting, "Starting", $"{running}/{_size} nodes running on kubernetes");
            WatchStart();
            return;
        }

        (_status.Timeline ??= new TrainingJobTimeline()).StartedAt ??= _draft.Now.UtcDateTime;
        var finished = _finished.Count == 0 ? "" : $", {_finished.Count} finished";
        if (MountStates.WaitedFor(_draft, [.. Open.Select(pod => pod.Rank())]) is { } waiting) _draft.Become(TrainingJobPhase.Running, "Flushing", waiting);
        else _draft.Become(TrainingJobPhase.Running, "PodsReady", $"{running}/{_size} nodes running on kubernetes{finished}{Fewer}");
        if (!IsOverTime()) WatchLife();
    }

    private void WatchStart()
    {
        if (Open.Where(pod => !RankStates.IsTaken(pod)).MinBy(pod => pod.Rank()) is not { } late) return;
        var left = (_status.Since(StatusConditions.Progressing) ?? _draft.Now) + _draft.Seen.StartTimeout - _draft.Now;
        if (left > TimeSpan.Zero)
        {
            _draft.LookAgain(left);
            return;
        }

        var node = _nodes.GetValueOrDefault(late.Rank()) ?? late.Spec.NodeName;
        var why = NotScheduled(late);
        var message = $"rank {late.Rank()} was not started by node {node} within {Duration.Format(_draft.Seen.StartTimeout)}{(why is null ? "" : ": " + why)}";
        Fail(new RankFailure(FailureCause.Unplaced, late.Rank(), "NotStarted", message) { Node = node });
    }

    private static string? NotScheduled(PodView pod) => pod.Status?.Conditions?.Find(condition => condition is { Type: "PodScheduled", Status: "False" })?.Message;

    // The limit is on one attempt: a restart has all of it again.
    private bool IsOverTime()
    {
        if (_draft.Job.Spec.TimeLimit is not { } limit) return false;
        var left = Duration.Parse(limit) - RanFor;
        if (left > TimeSpan.Zero)
        {
            _draft.LookAgain(left);
            return false;
        }

        _draft.End(TrainingJobPhase.Failed, "TimeLimit", $"ran for {limit}, its time limit; raise spec.timeLimit to let it run longer");
        return true;
    }

    private void WatchLife()
    {
        if (_draft.Job.HangTimeout is not { } timeout) return;
        if (Hangs.First(timeout, RanFor, SinceFinish, Open, _draft.Seen.Heartbeats, _draft.Now) is { } hung) Fail(hung);
        else _draft.LookAgain(Heartbeat.Interval(timeout));
    }

    private void Fail(RankFailure failure) => AttemptEnd.Fail(
        _draft,
        new FailedAttempt(failure)
        {
            RanFor = RanFor,
            CheckpointAt = _status.Checkpoint?.DurableAt,
            Counts = _status.Restarts,
            Retry = _status.Retry,
            Nodes = _nodes.Values.Distinct().Count(),
            SuspectsNode = IsNodeSuspect(failure),
        },
        Kept);

    // Nodes that have done nothing wrong stay reserved for the next attempt, so that nobody in the queue takes them.
    private AdmissionStatus? Kept(string? dropped)
    {
        var kept = _nodes.Where(rank => rank.Value != dropped && !_draft.Seen.LostNodes.Contains(rank.Value))
            .OrderBy(rank => rank.Key).Select(rank => new RankAssignment { Rank = rank.Key, Node = rank.Value }).ToList();
        return kept.Count == 0 ? null : new AdmissionStatus { Attempt = _number, Size = _status.Admission!.Size, Ranks = kept };
    }

    // Code that fails on most nodes before it runs says nothing about the one that was first.
    private bool IsNodeSuspect(RankFailure failure) =>
        RecoveryTable.Of(failure.Cause).Node == NodeFate.Dropped || _pods.Values.Count(RankStates.HasStarted) * 2 > _size;

    private HashSet<int> Finished()
    {
        var finished = new HashSet<int>();
        foreach (var rank in _status.Nodes?.Ranks ?? [])
        {
            if (rank.State == RankState.Succeeded && rank.Name == Names.Pod(JobName, rank.Rank, _number)) finished.Add(rank.Rank);
        }

        foreach (var pod in _draft.Seen.Pods)
        {
            if (pod.Attempt() == _number && pod.Status?.Phase == "Succeeded" && Failures.Of(null, pod) is null) finished.Add(pod.Rank());
        }

        return finished;
    }

    private void Report()
    {
        var known = (_status.Nodes?.Ranks ?? []).Where(rank => _finished.Contains(rank.Rank) && rank.State == RankState.Succeeded).ToDictionary(rank => rank.Rank);
        var ranks = _pods.Values.OrderBy(pod => pod.Rank()).Select(RankStates.Of).ToList();
        ranks.RemoveAll(rank => _finished.Contains(rank.Rank) && known.ContainsKey(rank.Rank));
        ranks.AddRange(known.Values);
        _status.Nodes = new NodesStatus
        {
            Desired = _size,
            Ready = ranks.Count(rank => rank.State == RankState.Running),
            Ranks = [.. ranks.OrderBy(rank => rank.Rank).Take(RankStates.MaxShown)],
        };
        MountStates.Report(_draft, _size);
    }
}
