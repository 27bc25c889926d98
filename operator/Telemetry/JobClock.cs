using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Telemetry;

/// <summary>
/// When what happened to a job, read from its object alone, so that an operator that starts anew knows the same times.
/// All in UTC.
/// </summary>
internal static class JobClock
{
    /// <summary>Whether it waits for nodes and might have them now.</summary>
    public static bool IsWaiting(TrainingJob job, DateTime now) =>
        !job.IsDeleting() && !job.IsCancelled() && job.Spec.Suspend != true
        && job.Status is { Phase: TrainingJobPhase.Queued or TrainingJobPhase.Restarting } status
        && !(status.Phase == TrainingJobPhase.Restarting && status.Retry?.NotBefore > now);

    /// <summary>Since when it waits, or the newest attempt waited, for nodes: it came into the queue, or its backoff was over.</summary>
    public static DateTime? WaitsSince(TrainingJobStatus status)
    {
        var (queued, backoff) = (status.Queue?.QueuedAt ?? status.Timeline?.QueuedAt, status.Retry?.NotBefore);
        return queued is null || backoff > queued ? backoff : queued;
    }

    /// <summary>When the newest attempt got its nodes; null while there is none.</summary>
    public static DateTime? AdmittedAt(TrainingJobStatus status) => Since(status, StatusConditions.Admitted) ?? (status.Attempt == 1 ? status.Timeline?.AdmittedAt : null);

    /// <summary>Since when all ranks run; null when they don't.</summary>
    public static DateTime? ReadyAt(TrainingJobStatus status) => Since(status, StatusConditions.PodsReady);

    /// <summary>Since when it is in its phase.</summary>
    public static DateTime? PhaseSince(TrainingJob job) => job.Status is not { } status ? job.Metadata.CreationTimestamp : status.Phase switch
    {
        // Later it may come back to Pending, e.g. from Suspended.
        null or TrainingJobPhase.Pending => status.Timeline?.QueuedAt is null ? job.Metadata.CreationTimestamp : LastTransition(status),
        TrainingJobPhase.Queued => status.Queue?.QueuedAt ?? status.Timeline?.QueuedAt,
        TrainingJobPhase.Admitted => Since(status, StatusConditions.Admitted),
        TrainingJobPhase.Starting => Since(status, StatusConditions.Progressing),
        TrainingJobPhase.Running => Since(status, StatusConditions.PodsReady),
        TrainingJobPhase.Restarting => Since(status, nameof(TrainingJobPhase.Restarting)),
        TrainingJobPhase.Suspended => Since(status, nameof(TrainingJobPhase.Suspended)),
        TrainingJobPhase.Succeeded or TrainingJobPhase.Failed or TrainingJobPhase.Cancelled => status.Timeline?.FinishedAt,
        _ => null,
    } ?? LastTransition(status);

    // With a phase some condition changes as well.
    private static DateTime? LastTransition(TrainingJobStatus status) => status.Conditions?.Max(condition => condition.LastTransitionTime);

    private static DateTime? Since(TrainingJobStatus status, string condition) => status.Since(condition)?.UtcDateTime;
}
