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

    /// <summary>How long the next attempt must not start yet; zero when it may.</summary>
    public static TimeSpan HoldsOff(this TrainingJob job, DateTimeOffset now)
    {
        if (job.Status is not { Phase: TrainingJobPhase.Restarting, Retry.NotBefore: { } time }) return TimeSpan.Zero;
        var left = new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)) - now;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
