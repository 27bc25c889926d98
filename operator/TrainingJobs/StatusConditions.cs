using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.TrainingJobs;

/// <summary>
/// Keeps the conditions of a status in step with its phase. Their transition times are the clock of an attempt:
/// Progressing since its pods were let go, PodsReady since all ranks ran.
/// </summary>
public static class StatusConditions
{
    /// <summary>True while an attempt has nodes.</summary>
    public const string Admitted = "Admitted";

    /// <summary>True from the time that all ranks run until one ends badly or all end.</summary>
    public const string PodsReady = "PodsReady";

    /// <summary>True from the time that the pods of an attempt are let go until it ends.</summary>
    public const string Progressing = "Progressing";

    /// <summary>True from a loss of infrastructure until all ranks run again.</summary>
    public const string Disrupted = "Disrupted";

    /// <summary>True when everything that was written at mounts of buckets and closed is in them.</summary>
    public const string Durable = "Durable";

    /// <summary>True when something the job asks for is not done.</summary>
    public const string Unsupported = "Unsupported";

    /// <summary>Whether the job is over.</summary>
    public static bool HasEnded(this TrainingJobStatus status) =>
        status.Phase is TrainingJobPhase.Succeeded or TrainingJobPhase.Failed or TrainingJobPhase.Cancelled;

    /// <summary>Whether there is an attempt, with nodes or waiting for those that another scheduler chooses.</summary>
    public static bool HasAttempt(this TrainingJobStatus status) =>
        status is { Admission: not null, Phase: TrainingJobPhase.Admitted or TrainingJobPhase.Starting or TrainingJobPhase.Running }
        || status.WaitsForScheduler();

    /// <summary>Whether an attempt is there whose nodes another scheduler has yet to choose.</summary>
    public static bool WaitsForScheduler(this TrainingJobStatus status) =>
        status is { Admission: not null, Phase: TrainingJobPhase.Queued } && (status.IsOnSlurm() || status.SchedulingMode is not (null or Api.V1Alpha1.SchedulingMode.Operator));

    /// <summary>Whether Slurm has it, or is to get it next.</summary>
    public static bool IsOnSlurm(this TrainingJobStatus status) => status.Placement?.Slurm is not null;

    /// <summary>Since when a condition is True; null when it is not.</summary>
    public static DateTimeOffset? Since(this TrainingJobStatus status, string type) =>
        status.Conditions?.Find(condition => condition.Type == type && condition.Status == "True")?.LastTransitionTime is { } time ? new DateTimeOffset(time) : null;

    /// <summary>Sets those that follow from the phase.</summary>
    public static void Follow(TrainingJobStatus status, long? generation, DateTimeOffset now)
    {
        Put(Admitted, status.HasAttempt() && !status.WaitsForScheduler());
        Put(Progressing, status.Phase is TrainingJobPhase.Starting or TrainingJobPhase.Running);
        Put(PodsReady, status.Phase is TrainingJobPhase.Running);
        Put("Restarting", status.Phase is TrainingJobPhase.Restarting);
        Put("Suspended", status.Phase is TrainingJobPhase.Suspended);
        Put("Complete", status.Phase is TrainingJobPhase.Succeeded);
        Put("Failed", status.Phase is TrainingJobPhase.Failed);
        if (status.Phase is TrainingJobPhase.Running || status.HasEnded()) Put(Disrupted, false);

        void Put(string type, bool holds) => Set(status, type, holds, status.Reason ?? type, status.Message ?? "", generation, now);
    }

    /// <summary>Sets a condition when its status is another one; one that never held is not written.</summary>
    public static void Set(TrainingJobStatus status, string type, bool holds, string reason, string message, long? generation, DateTimeOffset now)
    {
        var known = status.Conditions?.Find(condition => condition.Type == type);
        if (known is null ? !holds : known.Status == (holds ? "True" : "False")) return;
        Conditions.Set(status.Conditions ??= [], type, holds, reason, message, generation, now);
    }
}
