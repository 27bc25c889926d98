using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Slurm;
using Trestle.Operator.Storages;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.TrainingJobs;

/// <summary>
/// The life of a job, as one decision at a time: from what is seen now to the status it should have and what to do for that.
/// Pure. The scheduler, or the mode that admits the job, alone makes attempts of what is Queued or Restarting; everything else is here.
/// A decision is in the status before it is carried out, and what is to do follows from the status and the pods alone, so
/// that whoever looks next, after a crash at any point, goes on with it.
/// </summary>
public static class TrainingJobPlanner
{
    /// <summary>What to do now.</summary>
    public static TrainingJobPlan Plan(Observed seen, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(seen);
        var job = seen.Job;
        if (job.IsDeleting()) return Leave(seen, now);
        if (job.Metadata.Finalizers?.Contains(Names.JobFinalizer) != true) return new TrainingJobPlan(null, [new AddFinalizer()], null, null);
        var draft = new Draft(seen, now);
        Decide(draft);
        return draft.ToPlan();
    }

    private static void Decide(Draft draft)
    {
        IAttempt? attempt = !draft.Status.HasAttempt() ? null : draft.Status.IsOnSlurm() ? new SlurmAttempt(draft) : new Attempt(draft);
        if (draft.Status.HasEnded()) Linger(draft);
        else if (attempt?.HasSucceeded == true) attempt.Succeed();
        else if (draft.Job.IsCancelled()) Cancel(draft);
        else if (draft.Job.Spec.Suspend == true) Suspend(draft);
        else if (draft.Status.Phase == TrainingJobPhase.Preempting) GiveWay(draft);
        else if (draft.Status.Phase is TrainingJobPhase.Queued && Places.MoveOn(draft)) return;
        else if (attempt is not null) attempt.Go();
        else if (draft.Status.Phase is TrainingJobPhase.Queued or TrainingJobPhase.Restarting) Wait(draft);
        else Accept(draft);
    }

    private static void Wait(Draft draft)
    {
        if (draft.Status.IsOnSlurm()) SlurmAttempt.Begin(draft);
        else Elasticity.Allow(draft);
    }

    private static TrainingJobPlan Leave(Observed seen, DateTimeOffset now)
    {
        if (seen.Job.Metadata.Finalizers?.Contains(Names.JobFinalizer) != true) return new TrainingJobPlan(null, [], null, null);
        var ending = seen.Pods.Where(pod => !pod.IsTerminating()).ToList();
        if (ending.Count > 0) return new TrainingJobPlan(null, [new DeletePods(ending)], null, Leftovers.LookAgain);
        var leaving = SlurmLeftovers.ToEnd(seen.SlurmJobs, null).ToList();
        if (leaving.Count > 0) return new TrainingJobPlan(null, [new EndSlurmJobs(leaving)], null, Leftovers.LookAgain);
        return seen.Pods.Any(pod => Leftovers.HoldsNode(pod, seen, now)) || seen.SlurmJobs.Any(job => !job.HasEnded())
            ? new TrainingJobPlan(null, [], null, Leftovers.LookAgain)
            : new TrainingJobPlan(null, [new RemoveFinalizer()], null, null);
    }

    private static void Accept(Draft draft)
    {
        var (spec, seen) = (draft.Job.Spec, draft.Seen);
        if (Support.WhyRefused(seen) is { } refused)
        {
            draft.Unsupported(refused);
            draft.End(TrainingJobPhase.Failed, "Unsupported", refused);
            return;
        }

        if (Support.WhatIsIgnored(seen) is { } ignored) draft.Unsupported(ignored);
        if (spec.Image is null && seen.DefaultImage is null && Places.Of(spec).Any(place => place.Slurm is null))
        {
            draft.End(TrainingJobPhase.Failed, "ImageMissing", "spec.image is needed on Kubernetes; set it or give the operator a default image");
            return;
        }

        if (!StoragesAreThere(draft)) return;
        Places.Begin(draft);
        draft.Status.SchedulingMode ??= seen.Admission.Mode;
        draft.Status.Queue = new QueueStatus { QueuedAt = draft.Now.UtcDateTime };
        (draft.Status.Timeline ??= new TrainingJobTimeline()).QueuedAt ??= draft.Now.UtcDateTime;
        draft.Become(TrainingJobPhase.Queued, "Queued", $"waiting for {Draft.Nodes(draft.Job.NodeCount)}");
    }

    private static bool StoragesAreThere(Draft draft)
    {
        var missing = StoragePlanner.Missing(draft.Job, draft.Seen.Storages);
        var wait = draft.Seen.Storages.Values.Select(storage => StoragePlanner.WhyWait(draft.Job, storage)).FirstOrDefault(why => why is not null);
        if (missing.Count == 0 && wait is null) return true;
        if (wait is { } why)
        {
            draft.Become(TrainingJobPhase.Pending, why.Reason, why.Message);
        }
        else
        {
            if (draft.Seen.MakesStorages) draft.Do(new MakeStorages(missing));
            draft.Become(TrainingJobPhase.Pending, "StorageMissing", $"storage {string.Join(", ", missing)} does not exist in namespace {draft.Job.Metadata.NamespaceProperty}; create it, or change spec.mounts");
        }

        draft.LookAgain(Leftovers.LookAgain);
        return false;
    }

    private static void Cancel(Draft draft)
    {
        var holding = draft.EndAllRanks();
        if (holding == 0) draft.End(TrainingJobPhase.Cancelled, "Cancelled", "cancelled");
        else draft.Become(draft.Status.Phase ?? TrainingJobPhase.Pending, "Cancelling", $"waiting for {Draft.Nodes(holding)} to end");
    }

    // Whoever preempted it has said so in reason and message; they stay until its nodes are free.
    private static void GiveWay(Draft draft)
    {
        if (draft.EndAllRanks() > 0) return;
        var counts = draft.Status.Restarts ??= new RestartCounts();
        counts.Preempted = (counts.Preempted ?? 0) + 1;
        draft.Requeue($"{draft.Status.Message}; waiting for {Draft.Nodes(draft.Job.NodeCount)} again", warning: false);
    }

    private static void Suspend(Draft draft)
    {
        draft.Status.Admission = null;
        draft.Status.Queue = null;
        if (draft.Status.Retry is { } retry) retry.MinNodes = null;
        draft.Become(TrainingJobPhase.Suspended, "Suspended", "suspended; set spec.suspend to false to queue it again");
    }

    // After the end nothing is done but to delete the object when its time has come.
    private static void Linger(Draft draft)
    {
        if (draft.Job.Spec.TtlAfterFinished is not { } ttl || draft.Status.Timeline?.FinishedAt is not { } finished) return;
        var left = new DateTimeOffset(finished) + Duration.Parse(ttl) - draft.Now;
        if (left <= TimeSpan.Zero) draft.Do(new DeleteJob());
        else draft.LookAgain(left);
    }
}
