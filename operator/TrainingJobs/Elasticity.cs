using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;

namespace Trestle.Operator.TrainingJobs;

/// <summary>How many ranks the next attempt of a job may have.</summary>
/// <param name="Most">What it asks for; wanted when there is room.</param>
/// <param name="Fewest">What it takes when there is not; equal to <paramref name="Most"/> for all jobs but elastic ones that ran before.</param>
public sealed record AttemptSizes(int Most, int Fewest);

/// <summary>
/// spec.elastic: the first start has all nodes; once the job has run, a later attempt may re-form with fewer. It grows again with
/// the next attempt that finds more room, and never in the middle of one. Pure.
/// </summary>
public static class Elasticity
{
    /// <summary>Sizes of the next attempt, for whoever admits it.</summary>
    public static AttemptSizes SizesOf(TrainingJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var most = job.NodeCount;
        return new AttemptSizes(most, Math.Clamp(job.Status?.Retry?.MinNodes ?? most, 1, most));
    }

    /// <summary>
    /// Says in the status of a waiting job whether it may shrink. Not before the pods of its last attempt have ended: until then its
    /// own nodes look taken, and it would re-form with fewer than it can have.
    /// </summary>
    internal static void Allow(Draft draft)
    {
        if (draft.Job.Spec.Elastic?.MinNodes is not { } fewest || draft.Status.Timeline?.StartedAt is null) return;
        var waits = draft.Seen.Pods.Any(pod => Leftovers.HoldsNode(pod, draft.Seen, draft.Now));
        if (waits) draft.LookAgain(Leftovers.LookAgain);
        if (waits && draft.Status.Retry is null) return;
        (draft.Status.Retry ??= new RetryStatus()).MinNodes = waits ? null : fewest;
    }
}
