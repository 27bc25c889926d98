using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>Questions that every mode asks about a job.</summary>
internal static class WaitingJob
{
    /// <summary>Nobody wants it to end or to pause.</summary>
    public static bool IsWanted(this TrainingJob job) => !job.IsDeleting() && job.Spec.Suspend != true && !job.IsCancelled();

    /// <summary>It waits for its next attempt.</summary>
    public static bool WaitsForAttempt(this TrainingJob job) =>
        job.Status is { Phase: TrainingJobPhase.Queued or TrainingJobPhase.Restarting } status && !status.HasAttempt();

    /// <summary>How long a restart must not start yet; zero when it may, and for what is queued.</summary>
    public static TimeSpan RestartHoldsOff(this TrainingJob job, DateTimeOffset now) => job.Status?.Phase == TrainingJobPhase.Restarting ? job.HoldsOff(now) : TimeSpan.Zero;
}
