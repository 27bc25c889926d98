using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Jobs;

/// <summary>What the tables say about a job, read from its object.</summary>
internal static class JobFacts
{
    private static readonly string[] Ended = ["Succeeded", "Failed", "Cancelled"];

    public static bool IsEnded(string phase) => Ended.Contains(phase);

    public static string Phase(this TrainingJob job) => job.Metadata.DeletionTimestamp is not null ? "Cancelling" : PhaseText(job.Status?.Phase?.ToString());

    public static string Phase(this JobGroup group) => group.Metadata.DeletionTimestamp is not null ? "Cancelling" : PhaseText(group.Status?.Phase?.ToString());

    public static bool HasEnded(this TrainingJob job) => IsEnded(PhaseText(job.Status?.Phase?.ToString()));

    public static bool HasEnded(this JobGroup group) => IsEnded(PhaseText(group.Status?.Phase?.ToString()));

    /// <summary>GPUs the whole job holds or waits for.</summary>
    public static int Gpus(this TrainingJob job) => job.NodeCount() * GpusPerNode(job.Spec);

    public static int GpusPerNode(TrainingJobSpec spec) =>
        spec.Resources?.Accelerators is { Length: > 0 } text && Accelerators.TryParse(text, out var accelerators, out _) ? accelerators.Count : 0;

    public static string User(V1ObjectMeta metadata) =>
        metadata.Annotations is { } annotations && annotations.TryGetValue(Annotations.User, out var user) ? user : "-";

    public static int NodeCount(this TrainingJob job) => job.Spec.NodeCount();

    public static int NodeCount(this TrainingJobSpec spec) => spec.Nodes ?? 1;

    public static string? GroupName(this TrainingJob job) =>
        job.Spec.Group ?? job.Metadata.OwnerReferences?.FirstOrDefault(owner => owner.Kind == nameof(JobGroup))?.Name;

    public static int RestartCount(this TrainingJob job) =>
        job.Status?.Restarts is { } restarts ? (restarts.Counted ?? 0) + (restarts.Infrastructure ?? 0) + (restarts.Preempted ?? 0) + (restarts.Recovered ?? 0) : 0;

    /// <summary>The failed rank's code; "-" when no process of it ended.</summary>
    public static string ExitCodeText(this TrainingJob job) =>
        job.Status?.Exit?.Code?.ToString() ?? (job.Phase() == "Succeeded" ? "0" : "-");

    /// <summary>Why it waits while it waits, else what the operator says.</summary>
    public static string Why(this TrainingJob job) =>
        (job.Phase() is "Queued" or "Pending" ? job.Status?.Queue?.Reason : null) ?? job.Status?.Message ?? "";

    public static string Why(this JobGroup group) => group.Status?.Message ?? "";

    /// <summary>Where it runs, or the first place it would: kubernetes, or slurm/CLUSTER with the partition that it names.</summary>
    public static string Backend(this TrainingJob job)
    {
        var wanted = job.Spec.Placement?.ElementAtOrDefault(job.Status?.Placement?.Index ?? 0)?.Slurm;
        if (job.Status?.Placement is { } placed)
        {
            return placed.Slurm is { } slurm ? OnSlurm(slurm.Cluster, wanted?.Cluster == slurm.Cluster ? wanted?.Partition : null) : "kubernetes";
        }

        return wanted is null ? "kubernetes" : OnSlurm(wanted.Cluster, wanted.Partition);
    }

    private static string OnSlurm(string? cluster, string? partition) => $"slurm/{cluster}{(partition is null ? "" : $"/{partition}")}";

    private static string PhaseText(string? phase) => string.IsNullOrEmpty(phase) ? "Pending" : phase;
}
