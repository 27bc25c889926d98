using System.Globalization;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Slurm;

/// <summary>
/// One execution on Slurm: its SlurmJob is made once, and what Slurm says of it becomes the status of the job. What Slurm does not
/// say changes nothing.
/// </summary>
internal sealed class SlurmAttempt : IAttempt
{
    private readonly Draft _draft;
    private readonly TrainingJobStatus _status;
    private readonly int _number;
    private readonly SlurmJob? _slurm;

    public SlurmAttempt(Draft draft)
    {
        (_draft, _status, _number) = (draft, draft.Status, draft.Status.Admission!.Attempt);
        _slurm = draft.Seen.SlurmJobs.FirstOrDefault(job => job.Spec.Attempt == _number);
    }

    // Ranks that were told to end may end well all the same.
    public bool HasSucceeded => _slurm is { Status.Phase: SlurmJobPhase.Succeeded, Spec.Cancel: not true };

    private string Where => $"slurm/{_status.Placement!.Slurm!.Cluster}";

    private int Size => _draft.Job.NodeCount;

    private TimeSpan RanFor => _slurm?.Status is { StartedAt: { } from } seen ? (seen.FinishedAt ?? _draft.Now.UtcDateTime) - from : TimeSpan.Zero;

    /// <summary>Makes the next attempt of a job that waits, when its time has come and nothing of it runs any more.</summary>
    public static void Begin(Draft draft)
    {
        var status = draft.Status;
        var cluster = status.Placement!.Slurm!.Cluster!;
        if (!draft.Seen.Clusters.ContainsKey(cluster))
        {
            draft.Become(status.Phase!.Value, "ClusterMissing", $"SlurmCluster {cluster} does not exist; create it, or change spec.placement");
            draft.LookAgain(Leftovers.LookAgain);
            return;
        }

        if (draft.EndAllRanks() is > 0 and var holding)
        {
            draft.Become(status.Phase!.Value, "WaitingForLastAttempt", $"waiting for {Draft.Nodes(holding)} of the last attempt to end");
            return;
        }

        if (draft.Job.HoldsOff(draft.Now) is { Ticks: > 0 } wait)
        {
            draft.LookAgain(wait);
            return;
        }

        status.Attempt = (status.Attempt ?? 0) + 1;
        status.Admission = new AdmissionStatus { Attempt = status.Attempt.Value, Size = draft.Job.NodeCount };
        status.Placement.Slurm.JobId = null;
        draft.Become(TrainingJobPhase.Queued, "Submitting", $"to be submitted to slurm/{cluster}");
    }

    public void Succeed()
    {
        Report(_slurm!.Status!);
        _draft.End(TrainingJobPhase.Succeeded, "Completed", Size == 1 ? "finished" : $"all {Size} nodes finished");
    }

    public void Go()
    {
        if (_draft.Seen.Refusal is { } refusal) Fail(refusal);
        else if (_slurm is not null) Follow(_slurm.Status ?? new SlurmJobStatus());
        else if (_status.Placement!.Slurm!.JobId is { } lost) Fail(new RankFailure(FailureCause.Infrastructure, 0, "SlurmJobDeleted", $"the SlurmJob of Slurm job {lost} was deleted"));
        else _draft.Do(new MakeSlurmJob(_number));
    }

    private void Follow(SlurmJobStatus seen)
    {
        Report(seen);
        switch (seen.Phase)
        {
            case null:
                Become(TrainingJobPhase.Queued, "Submitting", $"no Slurm bridge has taken it up for {Where} yet");
                break;
            case SlurmJobPhase.Pending:
                Become(TrainingJobPhase.Queued, "Submitting", seen.Message ?? $"being submitted to {Where}");
                break;
            case SlurmJobPhase.Queued:
                Wait(seen);
                break;
            case SlurmJobPhase.Starting:
                Become(TrainingJobPhase.Starting, "Starting", $"{Draft.Nodes(Size)} starting on {Where}");
                break;
            case SlurmJobPhase.Running:
                Become(TrainingJobPhase.Running, "PodsReady", $"{Size}/{Size} nodes running on {Where}");
                break;
            case SlurmJobPhase.Suspended:
                Become(TrainingJobPhase.Running, "SuspendedBySlurm", $"suspended by Slurm on {Where}");
                break;
            case SlurmJobPhase.Terminating:
                Become(_status.Phase!.Value, "Ending", $"ending on {Where}");
                break;
            case SlurmJobPhase.Cancelled:
                _draft.End(TrainingJobPhase.Cancelled, "CancelledInSlurm", $"cancelled in Slurm on {Where}");
                break;
            case SlurmJobPhase.Failed:
                End(seen);
                break;
            default:
                Become(_status.Phase!.Value, "SlurmUnknown", $"{seen.Message ?? "Slurm gives a state that is not known"}; nothing is done until it is");
                break;
        }
    }

    private void Wait(SlurmJobStatus seen)
    {
        var cannot = seen.Conditions?.Find(condition => condition is { Type: "CannotStart", Status: "True" });
        var start = seen.EstimatedStart is { } time ? string.Create(CultureInfo.InvariantCulture, $", expected to start at {time:yyyy-MM-dd HH:mm} UTC") : "";
        var why = $"waiting on {Where}{(seen.Message is { } message ? ": " + message : "")}{(cannot is null ? start : "; " + cannot.Message)}";
        (_status.Queue ??= new QueueStatus()).Reason = why;
        Become(TrainingJobPhase.Queued, seen.Reason == "Held" ? "HeldInSlurm" : cannot is null ? "Queued" : "CannotStart", why);
    }

    // What the bridge can't reach is said beside what was last known.
    private void Become(TrainingJobPhase phase, string reason, string message)
    {
        var lost = _slurm?.Status?.Conditions?.Find(condition => condition is { Type: "ContactLost", Status: "True" });
        _draft.Become(phase, lost is null ? reason : "ContactLost", lost is null ? message : $"{message}; {lost.Message}");
    }

    private void End(SlurmJobStatus seen)
    {
        var last = _status.Checkpoint?.DurableAt;
        _status.Checkpoint = seen.Checkpoint ?? _status.Checkpoint;
        if (seen.Reason == "TimeLimit")
        {
            EndAtLimit(seen, last);
        }
        else if (seen.Reason == "Preempted")
        {
            var counts = _status.Restarts ??= new RestartCounts();
            counts.Preempted = (counts.Preempted ?? 0) + 1;
            _draft.Requeue($"preempted on {Where}; waiting for {Draft.Nodes(Size)} again", warning: false);
        }
        else
        {
            Fail(SlurmFailure.Of(_draft.Job.Spec.Recovery, seen, Where));
        }
    }

    // Without a newer checkpoint the next attempt would only do the same work again, and reach the limit again.
    private void EndAtLimit(SlurmJobStatus seen, DateTime? last)
    {
        var isAsked = _draft.Job.Spec.Recovery?.ResumeAtTimeLimit == true;
        if (isAsked && seen.Checkpoint is { DurableAt: { } at } && !(last >= at))
            _draft.Requeue($"reached its time limit on {Where}; goes on from {seen.Checkpoint.Latest}", warning: false);
        else
            _draft.End(TrainingJobPhase.Failed, "TimeLimit", $"reached its time limit on {Where}{(isAsked ? " and left no newer checkpoint to go on from; save in time" : "; raise spec.timeLimit, or the partition's limit, to let it run longer")}");
    }

    private void Fail(RankFailure failure) => AttemptEnd.Fail(
        _draft,
        new FailedAttempt(failure)
        {
            RanFor = RanFor,
            CheckpointAt = _status.Checkpoint?.DurableAt,
            Counts = _status.Restarts,
            Retry = _status.Retry,
            Nodes = Size,
            SuspectsNode = failure.Node is not null,
        },
        _ => null);

    private void Report(SlurmJobStatus seen)
    {
        _status.Placement!.Slurm!.JobId = seen.JobId ?? _status.Placement.Slurm.JobId;
        var state = seen.Phase switch
        {
            SlurmJobPhase.Running or SlurmJobPhase.Suspended => RankState.Running,
            SlurmJobPhase.Starting => RankState.Starting,
            SlurmJobPhase.Terminating => RankState.Terminating,
            SlurmJobPhase.Succeeded => RankState.Succeeded,
            SlurmJobPhase.Failed or SlurmJobPhase.Cancelled => RankState.Failed,
            _ => RankState.Pending,
        };
        _status.Nodes = new NodesStatus
        {
            Desired = Size,
            Ready = state == RankState.Running ? Size : 0,
            Ranks = [.. (seen.Nodes ?? []).Take(RankStates.MaxShown).Select((node, rank) => new RankStatus { Rank = rank, Name = SlurmJobBuilder.Name(_draft.Job.Metadata.Name, _number), Node = node, State = state })],
        };
        var timeline = _status.Timeline ??= new TrainingJobTimeline();
        if (seen.StartedAt is not { } started || state is RankState.Pending) return;
        timeline.AdmittedAt ??= started;
        timeline.StartedAt ??= started;
    }
}
