using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes.Gangs;

/// <summary>
/// Jobs that a scheduler places as one gang: every attempt may begin at once, with a group of its own, and stays Queued until
/// the scheduler has bound all of its pods. Pure.
/// </summary>
internal static class GangPlanner
{
    /// <summary>What to do now.</summary>
    /// <param name="seen">The job.</param>
    /// <param name="groups">Its groups, of every attempt.</param>
    /// <param name="placer">Who places it, e.g. kube-scheduler.</param>
    /// <param name="now">The time.</param>
    public static ModePlan Plan<T>(Observed seen, IReadOnlyList<T> groups, string placer, DateTimeOffset now)
        where T : class, IPodGroup
    {
        var job = seen.Job;
        var last = job.Status?.Attempt ?? 0;
        var hasAttempt = job.Status?.HasAttempt() == true;
        var current = hasAttempt ? groups.FirstOrDefault(group => GangNames.AttemptOf(group) == last) : null;

        // One of a later attempt than is known here is not stale: what is known of the job is.
        var stale = groups.Where(group => group != current && GangNames.AttemptOf(group) <= last && !group.IsDeleting())
            .Select(ObjectChange (group) => new DeleteObject<T>(group.Key(), group.Metadata.Uid)).ToList();
        return Next(job, current?.Words, placer, now) with { Changes = stale };
    }

    private static ModePlan Next(TrainingJob job, string? words, string placer, DateTimeOffset now)
    {
        if (!job.IsWanted()) return ModePlan.Nothing;
        if (job.WaitsForAttempt())
        {
            if (job.RestartHoldsOff(now) is var wait && wait > TimeSpan.Zero) return ModePlan.Nothing with { RequeueAfter = wait };
            return ModePlan.Write(ModeStatuses.NextAttempt(job, TrainingJobPhase.Queued, "WaitingForScheduler", PlacedElsewhere.Message(job, placer, null), now));
        }

        return job.Status is { Phase: TrainingJobPhase.Queued } && words is not null ? ModePlan.Write(ModeStatuses.Told(job, words)) : ModePlan.Nothing;
    }
}
