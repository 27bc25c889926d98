using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>Counts what jobs use of the quotas, and finds what could give its nodes back.</summary>
internal static class RunningUnits
{
    /// <summary>All units of jobs that the operator admitted.</summary>
    /// <param name="holding">All jobs that have nodes.</param>
    /// <param name="groupOf">The group by namespace and name; null when it is not there.</param>
    /// <param name="quotas">Told of what is used.</param>
    /// <param name="now">The time.</param>
    public static IReadOnlyList<RunningUnit> Of(IEnumerable<JobCard> holding, Func<ObjectKey, JobGroup?> groupOf, QuotaBook quotas, DateTimeOffset now)
    {
        List<RunningUnit> units = [];
        Dictionary<string, List<JobCard>> together = [];
        foreach (var card in holding)
        {
            var job = card.Job;
            if (!GangQueue.IsOurs(job) || job.Status is not { } status) continue;
            var (runs, keeps, leaves) = (status.HasAttempt(), NodeSnapshot.Keeps(job), status.Phase == TrainingJobPhase.Preempting);
            if (runs || keeps || leaves) Count(card, quotas, later: !leaves);
            if (GangQueue.GroupTogether(job, groupOf) is { } group) (together.TryGetValue(group.Metadata.Uid, out var known) ? known : together[group.Metadata.Uid] = []).Add(card);
            else if (runs || keeps) units.Add(Unit([card], job.Metadata.Uid, quotas, now));
        }

        foreach (var (uid, tasks) in together)
        {
            var staying = tasks.FindAll(card => card.Job.Status!.Phase != TrainingJobPhase.Preempting);
            if (!staying.Exists(card => card.Job.Status!.HasAttempt() || NodeSnapshot.Keeps(card.Job))) continue;
            var preempted = tasks.Find(card => card.Job.Status!.Phase == TrainingJobPhase.Preempting);
            units.Add(Unit(staying, uid, quotas, now) with { Leaving = preempted?.Job.Status!.Message });
        }

        return units;
    }

    private static void Count(JobCard card, QuotaBook quotas, bool later)
    {
        if (card.Shape is { } shape) quotas.Of(card.Queue).Run(shape, Ranks(card.Job), later);
    }

    private static RunningUnit Unit(List<JobCard> cards, string uid, QuotaBook quotas, DateTimeOffset now) =>
        new(uid, cards.Max(card => GangQueue.Priority(card.Job)), cards.Min(card => GangQueue.QueuedAt(card.Job)), [.. cards.Select(card => Part(card, quotas))])
        {
            IsRestart = !cards.Exists(card => card.Job.Status!.HasAttempt()),
            IsPreemptible = cards.TrueForAll(card => card.Job.Spec.Scheduling?.Preemptible == true),
            ProtectedUntil = cards.Max(card => Protected(card.Job, now)),
            SafeUntil = cards.Min(card => SafeUntil(card.Job, now)),
        };

    private static UnitJob Part(JobCard card, QuotaBook quotas)
    {
        var (job, queue) = (card.Job, quotas.Of(card.Queue));
        var isCounted = job.Status!.HasAttempt() || NodeSnapshot.Keeps(job);
        return new UnitJob(job.Key(), job.Metadata.Uid, queue, isCounted && card.Shape is { } shape ? queue.Demand(shape, Ranks(job)) : new long[queue.Items.Count]);
    }

    private static int Ranks(TrainingJob job) => job.Status?.Admission?.Size ?? job.Spec.Nodes ?? 1;

    // What does not run yet has run for no time.
    private static DateTimeOffset Protected(TrainingJob job, DateTimeOffset now) =>
        job.Status!.HasAttempt() && job.Spec.Scheduling?.MinRuntime is { } minimum ? (job.Status!.Since(StatusConditions.PodsReady) ?? now) + Duration.ParseOr(minimum, TimeSpan.Zero) : DateTimeOffset.MinValue;

    private static DateTimeOffset SafeUntil(TrainingJob job, DateTimeOffset now)
    {
        var began = job.Status?.Since(StatusConditions.PodsReady) ?? now;
        return job.Status?.Checkpoint?.DurableAt is { } at && new DateTimeOffset(DateTime.SpecifyKind(at, DateTimeKind.Utc)) is var durable && durable > began ? durable : began;
    }
}
