using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Launching;
using Trestle.Operator.JobGroups;
using Trestle.Operator.Scheduling;
using Trestle.Operator.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Cli.Planning;

/// <summary>What would become of one job.</summary>
/// <param name="Job">The job as it would be queued, or refused.</param>
/// <param name="Nodes">Node of every rank when it would start now; null when it would not.</param>
/// <param name="Why">Why it would wait or fail; null when it would start.</param>
internal sealed record ForeseenJob(TrainingJob Job, IReadOnlyList<string>? Nodes, string? Why)
{
    public bool WouldFail => Job.Status?.Phase == TrainingJobPhase.Failed;
}

/// <summary>What would become of a launch.</summary>
/// <param name="Jobs">Its jobs; those of groups too.</param>
/// <param name="Preempted">Jobs of others that would give their nodes to it, with the reason.</param>
internal sealed record Foreseen(IReadOnlyList<ForeseenJob> Jobs, IReadOnlyList<PlannedPreemption> Preempted);

/// <summary>The operator's own decisions on a launch that was not made: acceptance, then one admission pass. Pure.</summary>
internal static class Foresight
{
    /// <summary>Decides on all jobs of a plan, as if they came to the queue now.</summary>
    public static Foreseen Of(LaunchPlan plan, PlanScene scene, DateTimeOffset now)
    {
        var groups = plan.Operations.Select(operation => operation.Object).OfType<JobGroup>().Select(group => Named(group)).ToList();
        var storages = scene.Storages.Concat(plan.Operations.Select(operation => operation.Object).OfType<Storage>()).ToList();
        var jobs = plan.Operations.Select(operation => operation.Object).OfType<TrainingJob>().Select(job => Named(job))
            .Concat(groups.SelectMany(group => group.Spec.Tasks.Where(task => task.Job is not null).Select(task => Named(GroupObjects.Job(group, task)))))
            .Select(job => Accepted(job, storages, scene, now)).ToList();
        var decision = AdmissionPlan.Make([.. scene.Jobs, .. jobs], [.. scene.Groups, .. groups], scene.Queues, scene.Nodes, scene.Pods, now, new AdmissionOptions());
        var keys = jobs.Select(job => job.Key()).ToHashSet();
        return new Foreseen([.. jobs.Select(job => Foresee(job, decision))], [.. decision.Preempted.Where(preempted => preempted.For is { } winner && keys.Contains(winner))]);
    }

    private static ForeseenJob Foresee(TrainingJob job, AdmissionDecision decision)
    {
        if (job.Status?.Phase != TrainingJobPhase.Queued) return new ForeseenJob(job, null, job.Status?.Message ?? "it can't be queued");
        if (job.Spec.Scheduling?.Mode is { } mode and not (SchedulingMode.Auto or SchedulingMode.Operator)) return new ForeseenJob(job, null, $"{mode} decides when and where it starts");
        if (decision.Admitted.FirstOrDefault(admitted => admitted.Job == job) is { } found) return new ForeseenJob(job, found.Nodes, null);
        var waiting = decision.Waiting.FirstOrDefault(wait => wait.Job == job);
        return new ForeseenJob(job, null, waiting is { Position: { } position } ? $"{waiting.Reason} (position {position})" : waiting?.Reason ?? "waiting for the operator");
    }

    // The finalizer is what the operator gives a job first; with it, the planner goes straight to its judgement.
    private static TrainingJob Accepted(TrainingJob job, IEnumerable<Storage> storages, PlanScene scene, DateTimeOffset now)
    {
        job.Metadata.Finalizers = [Names.JobFinalizer];
        var seen = new Observed(job, [])
        {
            Storages = storages.Where(storage => storage.Metadata.NamespaceProperty == job.Metadata.NamespaceProperty).DistinctBy(storage => storage.Metadata.Name).ToDictionary(storage => storage.Metadata.Name),
            MakesStorages = scene.ObjectRoot is not null,
            DefaultImage = scene.ObjectRoot is null ? null : "local",
        };
        job.Status = TrainingJobPlanner.Plan(seen, now).Status;

        if (job.Status is not null) job.Status.SchedulingMode = job.Spec.Scheduling?.Mode is null or SchedulingMode.Auto ? SchedulingMode.Operator : job.Spec.Scheduling.Mode;

        // A storage that the operator makes first does not hold the job back for long.
        if (job.Status is { Phase: TrainingJobPhase.Pending } && seen.MakesStorages && job.Status.Reason == "StorageMissing")
            job.Status = new TrainingJobStatus { Phase = TrainingJobPhase.Queued, SchedulingMode = SchedulingMode.Operator, Queue = new QueueStatus { QueuedAt = now.UtcDateTime } };
        return job;
    }

    private static T Named<T>(T item)
        where T : k8s.IKubernetesObject<V1ObjectMeta>
    {
        item.Metadata.Uid = $"planned-{item.Kind}-{item.Metadata.Name}";
        item.Metadata.Generation = 1;
        return item;
    }
}
