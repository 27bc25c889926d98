using System.Globalization;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Slurm;

namespace Trestle.Operator.TrainingJobs;

/// <summary>A plan while it is made: a copy of the status to change, and what to do.</summary>
internal sealed class Draft(Observed seen, DateTimeOffset now)
{
    private readonly List<Effect> _effects = [];
    private bool _endsAttempt;
    private bool _warns;
    private TimeSpan? _again;

    public Observed Seen => seen;

    public TrainingJob Job => seen.Job;

    public DateTimeOffset Now => now;

    public TrainingJobStatus Status { get; } = StatusText.Copy(seen.Job.Status);

    public static string Nodes(int count) => count == 1 ? "1 node" : count.ToString(CultureInfo.InvariantCulture) + " nodes";

    public void Do(Effect effect) => _effects.Add(effect);

    public void LookAgain(TimeSpan after) => _again = _again < after ? _again : after;

    public void Become(TrainingJobPhase phase, string reason, string message)
    {
        Status.Phase = phase;
        Status.Reason = reason;
        Status.Message = message;
    }

    /// <summary>Back into the queue, where it stood.</summary>
    public void Requeue(string why, bool warning)
    {
        _warns = warning;
        Status.Admission = null;
        Status.Queue = new QueueStatus { QueuedAt = Status.Timeline?.QueuedAt ?? now.UtcDateTime };
        Become(TrainingJobPhase.Queued, "Requeued", why);
    }

    public void End(TrainingJobPhase phase, string reason, string message)
    {
        Become(phase, reason, message);
        Status.Admission = null;
        Status.Queue = null;
        (Status.Timeline ??= new TrainingJobTimeline()).FinishedAt = now.UtcDateTime;
    }

    public void Unsupported(string sentence) =>
        StatusConditions.Set(Status, StatusConditions.Unsupported, true, "Unsupported", sentence, Job.Metadata.Generation, now);

    /// <summary>Gives how many nodes are still to be waited for.</summary>
    public int EndAllRanks()
    {
        _endsAttempt = true;
        var holding = seen.Pods.Count(pod => Leftovers.HoldsNode(pod, seen, now)) + seen.SlurmJobs.Where(job => !job.HasEnded()).Sum(job => job.Spec.Nodes ?? 1);
        if (holding > 0) LookAgain(Leftovers.LookAgain);
        return holding;
    }

    public TrainingJobPlan ToPlan()
    {
        var current = Status.HasAttempt() && !_endsAttempt ? Status.Admission?.Attempt : null;
        var ending = Leftovers.ToEnd(seen.Pods, current, Status.Attempt ?? 0).ToList();
        if (ending.Count > 0) Do(new DeletePods(ending));
        var leaving = SlurmLeftovers.ToEnd(seen.SlurmJobs, current).ToList();
        if (leaving.Count > 0) Do(new EndSlurmJobs(leaving));
        Report();
        var (before, after) = (seen.Job.Status?.Phase, Status.Phase);
        // That nodes were reserved has just been told.
        var isTold = (before, after) is (TrainingJobPhase.Admitted, TrainingJobPhase.Starting);
        var moved = after != before && !isTold && Status is { Reason: not null, Message: not null };
        var warning = _warns || Status.Phase is TrainingJobPhase.Failed or TrainingJobPhase.Restarting or TrainingJobPhase.Pending;
        return new TrainingJobPlan(
            StatusText.Same(seen.Job.Status, Status) ? null : Status,
            _effects,
            moved ? new PhaseEvent(warning, Status.Reason!, Status.Message!) : null,
            _again);
    }

    private void Report()
    {
        Status.ObservedGeneration = Job.Metadata.Generation;
        Status.Nodes ??= new NodesStatus();
        if (!Status.HasAttempt() && !Status.HasEnded()) Status.Nodes.Desired = Job.NodeCount;
        if (!Status.HasAttempt()) StandDown(Status.Nodes);
        StatusConditions.Follow(Status, Job.Metadata.Generation, now);
    }

    // Ranks of an attempt that is over stay as they were seen last, but none of them runs.
    private static void StandDown(NodesStatus nodes)
    {
        nodes.Ready = 0;
        foreach (var rank in nodes.Ranks ?? [])
        {
            if (rank.State is RankState.Pending or RankState.Starting or RankState.Running) rank.State = RankState.Terminating;
        }
    }
}
