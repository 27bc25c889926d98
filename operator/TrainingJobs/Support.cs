using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Slurm;

namespace Trestle.Operator.TrainingJobs;

/// <summary>What a job asks for that this operator does not do, as sentences. Nothing is left out silently.</summary>
public static class Support
{
    /// <summary>Why the job can never run here; null when it can.</summary>
    public static string? WhyRefused(Observed seen)
    {
        var spec = seen.Job.Spec;
        if (seen.Admission.Refusal is { } refusal && Places.Of(spec).Any(place => place.Slurm is null)) return refusal;
        if (spec.Workdir?.Git is not null && Places.Of(spec).Any(place => place.Slurm is null))
            return "workdir.git is not supported yet; put the code into a ConfigMap and use workdir.configMap";
        if (spec.PodTemplate is { } overlay && PodOverlay.Problem(overlay) is { } problem) return problem;
        foreach (var mount in spec.Mounts ?? [])
        {
            if (Inside(mount, spec.Mounts!) is { } outer) return $"the mount at {mount.Path} lies in the one at {outer.Path}; give each a path of its own";
        }

        foreach (var mount in BucketMount.Of(seen.Job, seen.Storages))
        {
            if (mount.Mount.Mode is null or MountMode.Mount)
                return $"the mount at {mount.Mount.Path} is of a bucket and has mode Mount, which is not supported yet; use MountCached (a local directory that is brought to the bucket behind your back) or Copy";
        }

        return null;
    }

    private static StorageMount? Inside(StorageMount mount, List<StorageMount> mounts) =>
        mounts.Find(other => other != mount && (mount.Path.TrimEnd('/') + "/").StartsWith(other.Path.TrimEnd('/') + "/", StringComparison.Ordinal));

    /// <summary>What of the job is not done though it runs; null when all of it is.</summary>
    public static string? WhatIsIgnored(Observed seen)
    {
        var spec = seen.Job.Spec;
        var ignored = new List<string>();
        if (Places.Of(spec).Any(place => place.Slurm is not null)) ignored.AddRange(OnSlurm(seen.Job, seen.Group));
        if (seen.Admission.Mode != SchedulingMode.Operator && spec.Elastic is not null) ignored.Add($"elastic ({seen.Admission.Mode} admits all nodes or none)");
        if (seen.Admission.Mode != SchedulingMode.Operator && seen.Job.TaskGroup is not null) ignored.Add($"gang of its group ({seen.Admission.Mode} admits each task by itself)");
        ignored.AddRange(seen.Admission.Ignored);
        return ignored.Count == 0 ? null : $"the job runs without what is not supported yet: {string.Join(", ", ignored)}";
    }

    private static IEnumerable<string> OnSlurm(TrainingJob job, JobGroup? group)
    {
        if (job.Spec.Elastic is not null) yield return "elastic on Slurm";
        if (job.Spec.Resources?.SharedMemory is not null) yield return "resources.sharedMemory on Slurm";
        if (job.Spec.Resources?.Extended is { Count: > 0 }) yield return "resources.extended on Slurm (use placement.slurm.options)";
        if (job.Spec.SubmitsJobs == true) yield return "submitsJobs on Slurm";
        if (job.Spec.Scheduling is not null) yield return "scheduling on Slurm (use placement.slurm: partition, qos, options)";
        if (job.Spec.PodTemplate is { Count: > 0 }) yield return "podTemplate on Slurm";
        if (job.TaskGroup is not null && !AreTogether(group)) yield return "host names of the group's tasks that run elsewhere, on Slurm";
    }

    // All tasks have but one place, which is the same for all.
    private static bool AreTogether(JobGroup? group) =>
        group?.Spec.Tasks.Select(task => task.Job is { } job && Places.Of(job) is [{ Slurm.Cluster: { } cluster }] ? cluster : null).Distinct().ToList() is [not null];
}
