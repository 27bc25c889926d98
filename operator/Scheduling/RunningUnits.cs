using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>Counts what jobs use of the quotas, and finds what could give its nodes back.</summary>
internal static class RunningUnits
{
    /// <summary>All units of jobs that the operator admitted.</summary>
    /// <param name="jobs">All jobs.</param>
    /// <param name="groupOf">The group by namespace and name; null when it is not there.</param>
    /// <param name="shapeOf">Shape of a job; null when it has none.</param>
    /// <param name="quotas">Told of what is used.</param>
    /// <param name="now">The time.</param>
    public static IReadOnlyList<RunningUnit> Of(IEnumerable<TrainingJob> jobs, Func<ObjectKey, JobGroup?> groupOf, Func<TrainingJob, Shape?> shapeOf, QuotaBook quotas, DateTimeOffset now)
    {
        List<RunningUnit> units = [];
        Dictionary<string, List<TrainingJob>> together = [];
        foreach (var job in jobs)
        {
            if (!GangQueue.IsOurs(job) || job.Status is not { } status) continue;
            var (runs, keeps, leaves) = (status.HasAttempt(), NodeSnapshot.Keeps(job), status.Phase == TrainingJobPhase.Preempting);
            if (!runs && !keeps && !leaves && status.Phase != TrainingJobPhase.Restarting) continue;
            if (runs || keeps || leaves) Count(job, shapeOf, quotas, later: !leaves);
            if (GangQueue.GroupTogether(job, groupOf) is { } group) (together.TryGetValue(group.Metadata.Uid, out var known) ? known : together[group.Metadata.Uid] = []).Add(job);
            else if (runs || keeps) units.Add(Unit([job], job.Metadata.Uid, shapeOf, quotas, now));
        }

        foreach (var (uid, tasks) in together)
        {
            var staying = tasks.FindAll(job => job.Status!.Phase != TrainingJobPhase.Preempting);
            if (!staying.Exists(job => job.Status!.HasAttempt() || NodeSnapshot.Keeps(job))) continue;
            var preempted = tasks.Find(job => job.Status!.Phase == TrainingJobPhase.Preempting);
            units.Add(Unit(staying, uid, shapeOf, quotas, now) with { Leaving = preempted?.Status!.Message });
        }

        return units;
    }

    private static void Count(TrainingJob job, Func<TrainingJob, Shape?> shapeOf, QuotaBook quotas, bool later)
    {
        if (shapeOf(job) is { } shape) quotas.Of(job.Spec.Scheduling?.Queue).Run(shape, Ranks(job), later);
    }

    private static RunningUnit Unit(List<TrainingJob> jobs, string uid, Func<TrainingJob, Shape?> shapeOf, QuotaBook quotas, DateTimeOffset now) =>
        new(uid, jobs.Max(GangQueue.Priority), jobs.Min(GangQueue.QueuedAt), [.. jobs.Select(job => Part(job, shapeOf, quotas))])
        {
            IsRestart = !jobs.Exists(job => job.Status!.HasAttempt()),
            IsPreemptible = jobs.TrueForAll(job => job.Spec.Scheduling?.Preemptible == true),
            ProtectedUntil = jobs.Max(job => Protected(job, now)),
            SafeUntil = jobs.Min(job => SafeUntil(job, now)),
        };

    private static UnitJob Part(TrainingJob job, Func<TrainingJob, Shape?> shapeOf, QuotaBook quotas)
    {
        var queue = quotas.Of(job.Spec.Scheduling?.Queue);
        var isCounted = job.Status!.HasAttempt() || NodeSnapshot.Keeps(job);
        return new UnitJob(job.Key(), job.Metadata.Uid, queue, isCounted && shapeOf(job) is { } shape ? queue.Demand(shape, Ranks(job)) : new long[queue.Items.Count]);
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
