using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes.Kueue;

/// <summary>
/// A job and its Workload, as one decision at a time: make the Workload, start an attempt when it is admitted, give way when
/// it is evicted, give the quota back when the pods have ended, and tell Kueue what becomes of the job. A restart keeps the
/// admission. Pure.
/// </summary>
internal static class KueuePlanner
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    /// <summary>What to do now.</summary>
    /// <param name="seen">The job and its pods.</param>
    /// <param name="workload">Its Workload; null when there is none.</param>
    /// <param name="make">Makes the Workload.</param>
    /// <param name="missing">First flavor of the admission that is not known; null when all are.</param>
    /// <param name="now">The time.</param>
    public static ModePlan Plan(Observed seen, KueueWorkloadView? workload, Func<ObjectChange> make, string? missing, DateTimeOffset now)
    {
        var job = seen.Job;
        if (job.IsDeleting() || job.Status is not { } status) return ModePlan.Nothing;
        if (workload?.IsDeleting() == true && !status.HasAttempt()) return ModePlan.Nothing;
        if (status.HasEnded()) return Close(seen, workload, now);
        if (status.Phase == TrainingJobPhase.Suspended) return Withdraw(seen, workload, now);
        if (!job.IsWanted()) return ModePlan.Nothing;
        if (status.HasAttempt()) return Watch(job, workload, now);
        return job.WaitsForAttempt() ? Wait(seen, workload, make, missing, now) : ModePlan.Nothing;
    }

    private static ModePlan Wait(Observed seen, KueueWorkloadView? workload, Func<ObjectChange> make, string? missing, DateTimeOffset now)
    {
        var job = seen.Job;
        if (workload is null) return ModePlan.Do(make());
        if (workload.IsEvicted && workload.HasQuota) return Holds(seen, now) ? Again() : ModePlan.Do(WorkloadWrites.Release(workload, now));
        if (job.RestartHoldsOff(now) is var wait && wait > TimeSpan.Zero) return ModePlan.Nothing with { RequeueAfter = wait };
        if ((job.Spec.Scheduling?.Priority ?? 0) is var priority && priority != workload.Spec.Priority) return ModePlan.Do(WorkloadWrites.Priority(workload, priority));
        if (!workload.IsAdmitted) return Tell(job, workload);
        if (missing is not null) return ModePlan.Write(ModeStatuses.Waiting(job, "FlavorMissing", $"waiting for ResourceFlavor {missing}, which Kueue chose and which is not there")) with { RequeueAfter = LookAgain };
        var message = $"quota reserved in ClusterQueue {workload.Status!.Admission!.ClusterQueue}";
        var admitted = ModeStatuses.NextAttempt(job, TrainingJobPhase.Admitted, "Admitted", message, now);
        return ModePlan.Write(admitted) with { Event = new PhaseEvent(false, "Admitted", $"attempt {admitted.Attempt}: {message}") };
    }

    private static ModePlan Tell(TrainingJob job, KueueWorkloadView workload)
    {
        if (!workload.IsActive)
            return ModePlan.Write(ModeStatuses.Waiting(job, "Deactivated", $"Workload {workload.Metadata.Name} is deactivated; set its spec.active to true to queue the job again"));
        if (workload.Holds(KueueApi.QuotaReserved))
        {
            var open = workload.Status?.AdmissionChecks?.Find(check => check.State != "Ready");
            return ModePlan.Write(ModeStatuses.Waiting(job, "WaitingForChecks", open is null ? "quota reserved; waiting for Kueue's admission checks" : $"quota reserved; waiting for admission check {open.Name}: {open.Message}"));
        }

        var queue = job.Spec.Scheduling?.Queue;
        var said = workload.Find(KueueApi.QuotaReserved);
        return ModePlan.Write(ModeStatuses.Waiting(job, said?.Reason ?? "Queued", said?.Message is { Length: > 0 } message ? message : $"waiting for Kueue to look at LocalQueue {queue}"));
    }

    private static ModePlan Watch(TrainingJob job, KueueWorkloadView? workload, DateTimeOffset now)
    {
        if (workload is null || workload.IsDeleting()) return Evict(job, "WorkloadDeleted", $"its Workload {WorkloadBuilder.Name(job)} was deleted");
        if (workload.Find(KueueApi.Evicted) is { Status: "True" } evicted) return Evict(job, evicted.Reason, $"evicted by Kueue: {evicted.Message}");
        if (!workload.IsAdmitted) return Evict(job, "NotAdmitted", $"its Workload {workload.Metadata.Name} is no longer admitted");
        var runs = job.Status!.Phase == TrainingJobPhase.Running;
        return runs == workload.Holds(KueueApi.PodsReady) ? ModePlan.Nothing : ModePlan.Do(WorkloadWrites.PodsReady(workload, runs, now));
    }

    private static ModePlan Evict(TrainingJob job, string reason, string message) =>
        ModePlan.Write(ModeStatuses.Evicted(job, reason, message)) with { Event = new PhaseEvent(true, reason, message) };

    private static ModePlan Close(Observed seen, KueueWorkloadView? workload, DateTimeOffset now)
    {
        if (workload is null || workload.Holds(KueueApi.Finished)) return ModePlan.Nothing;
        if (Holds(seen, now)) return Again();
        return ModePlan.Do(WorkloadWrites.Finished(workload, seen.Job.Status!.Phase == TrainingJobPhase.Succeeded, seen.Job.Status.Message ?? "", now));
    }

    private static ModePlan Withdraw(Observed seen, KueueWorkloadView? workload, DateTimeOffset now)
    {
        if (workload is null) return ModePlan.Nothing;
        return Holds(seen, now) ? Again() : ModePlan.Do(new DeleteObject<KueueWorkloadView>(workload.Key(), workload.Metadata.Uid));
    }

    // Gated ones as well: what is seen of them may be older than their release.
    private static bool Holds(Observed seen, DateTimeOffset now) => seen.Pods.Any(pod => Leftovers.HoldsNode(pod, seen, now));

    private static ModePlan Again() => ModePlan.Nothing with { RequeueAfter = LookAgain };
}
