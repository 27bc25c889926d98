using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>Makes gangs of the jobs that wait for nodes.</summary>
/// <param name="Gangs">What may be admitted now.</param>
/// <param name="Held">Jobs that wait for other tasks of their group, with the sentence.</param>
/// <param name="Next">When the next job may be tried again; null when none waits for a time.</param>
internal sealed record GangQueue(IReadOnlyList<Gang> Gangs, IReadOnlyList<(TrainingJob Job, string Reason)> Held, DateTimeOffset? Next)
{
    /// <summary>Sorts the jobs.</summary>
    /// <param name="jobs">All jobs.</param>
    /// <param name="groupOf">The group by namespace and name; null when it is not there.</param>
    /// <param name="shapeOf">Shape of a job; null when it has none and waits.</param>
    /// <param name="now">The time.</param>
    public static GangQueue Of(IReadOnlyCollection<TrainingJob> jobs, Func<ObjectKey, JobGroup?> groupOf, Func<TrainingJob, Shape?> shapeOf, DateTimeOffset now)
    {
        var gangs = new List<Gang>();
        var held = new List<(TrainingJob, string)>();
        DateTimeOffset? next = null;
        var children = jobs.Where(job => job.ControllerOwner()?.Kind == JobGroup.KubeKind).ToLookup(job => job.ControllerOwner()!.Uid);
        var waiting = jobs.Where(WaitsForNodes).ToList();
        foreach (var job in waiting.Where(job => !IsFreshTask(job)))
        {
            var notBefore = NotBefore(job);
            if (notBefore > now) next = next is null || notBefore < next ? notBefore : next;
            else if (Part(job, shapeOf) is { } part) gangs.Add(Alone(job, part));
        }

        foreach (var tasks in waiting.Where(IsFreshTask).GroupBy(job => job.ControllerOwner()!.Uid))
        {
            var group = groupOf(new ObjectKey(tasks.First().Metadata.NamespaceProperty ?? "", tasks.First().ControllerOwner()!.Name));
            if (group is { Spec.Gang: GangPolicy.PerTask }) gangs.AddRange(tasks.Select(job => (job, Part(job, shapeOf))).Where(pair => pair.Item2 is not null).Select(pair => Alone(pair.job, pair.Item2!)));
            else if (group?.Metadata.Uid != tasks.Key) held.AddRange(tasks.Select(job => (job, "waiting for its group")));
            else if (Blocker(group, [.. children[tasks.Key]]) is { } reason) held.AddRange(tasks.Select(job => (job, reason)));
            else if (Together(group, [.. tasks], [.. children[tasks.Key]], shapeOf) is { } gang) gangs.Add(gang);
        }

        return new GangQueue(gangs, held, next);
    }

    // Not before the first attempt is over does a task go by itself.
    private static bool IsFreshTask(TrainingJob job) =>
        job.ControllerOwner()?.Kind == JobGroup.KubeKind && (job.Status?.Attempt ?? 0) == 0 && job.Status?.HasEnded() != true;

    private static bool WaitsForNodes(TrainingJob job) =>
        job.Status?.Phase is TrainingJobPhase.Queued or TrainingJobPhase.Restarting
        && job.Status.SchedulingMode is null or SchedulingMode.Operator
        && !job.IsDeleting() && job.Spec.Suspend != true && !job.IsCancelled();

    private static DateTimeOffset NotBefore(TrainingJob job) =>
        job.Status is { Phase: TrainingJobPhase.Restarting, Retry.NotBefore: { } time } ? new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)) : DateTimeOffset.MinValue;

    // Why the gang is not whole yet; null when it is.
    private static string? Blocker(JobGroup group, IReadOnlyList<TrainingJob> children)
    {
        if (children.Count < group.Spec.Tasks.Count(task => task.Job is not null)) return "waiting for the other tasks of its group to be created";
        var late = children.FirstOrDefault(job => IsFreshTask(job) && !WaitsForNodes(job));
        return late is null ? null : $"waiting for task {late.Label(Labels.Task) ?? late.Metadata.Name} of its group, which is {late.Status?.Phase ?? TrainingJobPhase.Pending}";
    }

    private static Gang? Together(JobGroup group, IReadOnlyList<TrainingJob> tasks, IReadOnlyList<TrainingJob> children, Func<TrainingJob, Shape?> shapeOf)
    {
        var parts = tasks.OrderBy(job => job.Metadata.Name, StringComparer.Ordinal).Select(job => Part(job, shapeOf)).OfType<GangJob>().ToList();
        if (parts.Count < tasks.Count) return null;
        return new Gang(group.Metadata.Uid, tasks.Max(Priority), tasks.Min(QueuedAt), parts) { Begun = children.Any(job => job.Status?.Attempt > 0 && job.Status?.HasEnded() != true) };
    }

    private static Gang Alone(TrainingJob job, GangJob part) => new(job.Metadata.Uid, Priority(job), QueuedAt(job), [part]);

    private static GangJob? Part(TrainingJob job, Func<TrainingJob, Shape?> shapeOf) =>
        shapeOf(job) is { } shape ? new GangJob(job.Key(), job.Spec.Nodes ?? 1, shape, Avoided(job)) : null;

    private static int Priority(TrainingJob job) => job.Spec.Scheduling?.Priority ?? 0;

    private static DateTime QueuedAt(TrainingJob job) => job.Status?.Queue?.QueuedAt ?? job.Metadata.CreationTimestamp ?? DateTime.MaxValue;

    // Nodes that failed it twice, and the one that failed it last: it stands at the end.
    private static HashSet<string> Avoided(TrainingJob job)
    {
        var nodes = job.Status?.Retry?.Nodes ?? [];
        return [.. nodes.Where((node, index) => node.Failures >= 2 || index == nodes.Count - 1).Select(node => node.Node)];
    }
}
