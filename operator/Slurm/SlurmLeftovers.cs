using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Slurm;

/// <summary>SlurmJobs that are no longer wanted.</summary>
internal static class SlurmLeftovers
{
    /// <summary>Whether Slurm has let its nodes go for good. What is unknown has not ended.</summary>
    public static bool HasEnded(this SlurmJob job) => job.Status?.Phase is SlurmJobPhase.Succeeded or SlurmJobPhase.Failed or SlurmJobPhase.Cancelled;

    /// <summary>Those to tell to end: all that may run, but for the attempt that goes on.</summary>
    public static IEnumerable<SlurmJob> ToEnd(IEnumerable<SlurmJob> jobs, int? current) => jobs.Where(job => job.Spec.Attempt != current && job.Spec.Cancel != true && !job.HasEnded());
}
