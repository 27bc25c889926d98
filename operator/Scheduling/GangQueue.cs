using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>Makes gangs of the jobs that wait for nodes and that the operator admits; those of other modes are left out.</summary>
/// <param name="Gangs">What may be admitted now.</param>
/// <param name="Held">Jobs that can't be admitted whatever is free, with the sentence: other tasks of their group or their queue hold them.</param>
/// <param name="Next">When the next job may be tried again; null when none waits for a time.</param>
internal sealed record GangQueue(IReadOnlyList<Gang> Gangs, IReadOnlyList<(TrainingJob Job, string Reason)> Held, DateTimeOffset? Next)
{
    /// <summary>Sorts the jobs.</summary>
    /// <param name="cards">All jobs.</param>
    /// <param name="groupOf">The group by namespace and name; null when it is not there.</param>
    /// <param name="now">The time.</param>
    /// <param name="quotas">The queues; told how many wait.</param>
    public static GangQueue Of(JobCards cards, Func<ObjectKey, JobGroup?> groupOf, DateTimeOffset now, QuotaBook? quotas = null)
    {
        var gangs = new List<Gang>(cards.Waiting.Count);
        var held = new List<(TrainingJob, string)>();
        var tasks = new List<(JobCard Card, string? Refused)>();
        DateTimeOffset? next = null;
        foreach (var card in cards.Waiting)
        {
            var refused = quotas?.WhyRefused(card.Queue, card.Job.Metadata.NamespaceProperty ?? "");
            quotas?.Of(card.Queue).Wait();
            if (card.GroupUid is not null && GoesTogether(card.Job, groupOf)) tasks.Add((card, refused));
            else if (refused is not null) held.Add((card.Job, refused));
            else if (card.IsTimed && card.Job.HoldsOff(now) is { Ticks: > 0 } wait) next = next is null || now + wait < next ? now + wait : next;
            else if (card.Alone() is { } gang) gangs.Add(gang);
        }

        if (tasks.Count > 0) AddGroups(tasks, cards.Tasks.ToLookup(card => card.GroupUid!), groupOf, gangs, held);
        return new GangQueue(gangs, held, next);
    }

    /// <summary>Replicas of services that can't be admitted whatever is free, with the sentence.</summary>
    public IReadOnlyDictionary<ReplicaKey, string> HeldReplicas { get; init; } = new Dictionary<ReplicaKey, string>();

    /// <summary>With replicas of services: those that start with the jobs of their group as part of its gang, the others each as a gang of its own.</summary>
    /// <param name="replicas">All replicas.</param>
    /// <param name="jobOf">A job by its key.</param>
    /// <param name="quotas">The queues; told what runs and how many wait.</param>
    public GangQueue With(IReadOnlyList<ReplicaClaim> replicas, Func<ObjectKey, TrainingJob> jobOf, QuotaBook quotas)
    {
        var sorted = new ReplicaGangs(this, jobOf);
        foreach (var replica in replicas)
        {
            if (replica.Placed.Count > 0) quotas.Of(replica.Queue).Run(replica.Shape, replica.Placed.Count, later: true);
            if (replica.Waiting.Count > 0) quotas.Of(replica.Queue).Wait();
            sorted.Add(replica, quotas.WhyRefused(replica.Queue, replica.Name.Namespace));
        }

        return sorted.ToQueue();
    }

    /// <summary>Whether the operator's own admission decides about the job.</summary>
    public static bool IsOurs(TrainingJob job) => job.Status is null || (job.Status.SchedulingMode is null or SchedulingMode.Operator && !job.Status.IsOnSlurm());

    public static int Priority(TrainingJob job) => job.Spec.Scheduling?.Priority ?? 0;

    public static DateTime QueuedAt(TrainingJob job) => job.Status?.Queue?.QueuedAt ?? job.Status?.Timeline?.QueuedAt ?? job.Metadata.CreationTimestamp ?? DateTime.MaxValue;

    /// <summary>The group whose tasks start together, when the job is one of them; else null.</summary>
    public static JobGroup? GroupTogether(TrainingJob job, Func<ObjectKey, JobGroup?> groupOf) =>
        job.Metadata.OwnerReferences is { Count: > 0 } && job.ControllerOwner() is { Kind: JobGroup.KubeKind } owner
        && groupOf(new ObjectKey(job.Metadata.NamespaceProperty ?? "", owner.Name)) is { } group && group.Metadata.Uid == owner.Uid && group.Spec.Gang != GangPolicy.PerTask
            ? group
            : null;

    // At first and after they were preempted together; a task that restarts goes by itself.
    private static bool GoesTogether(TrainingJob task, Func<ObjectKey, JobGroup?> groupOf) =>
        task.Status?.Phase == TrainingJobPhase.Queued && groupOf(GroupKey(task)) is not { Spec.Gang: GangPolicy.PerTask };

    private static ObjectKey GroupKey(TrainingJob task) => new(task.Metadata.NamespaceProperty ?? "", task.ControllerOwner()!.Name);

    public static bool Waits(TrainingJob job) =>
        job.Status?.Phase is TrainingJobPhase.Queued or TrainingJobPhase.Restarting
        && IsOurs(job) && !job.IsDeleting() && job.Spec.Suspend != true && !job.IsCancelled();

    private static DateTimeOffset? KeptSince(TrainingJob job) => Retries.NotBefore(job) ?? job.Status?.Since("Restarting");

    private static void AddGroups(List<(JobCard Card, string? Refused)> waiting, ILookup<string, JobCard> children, Func<ObjectKey, JobGroup?> groupOf, List<Gang> gangs, List<(TrainingJob, string)> held)
    {
        foreach (var tasks in waiting.GroupBy(pair => pair.Card.GroupUid!))
        {
            var group = groupOf(GroupKey(tasks.First().Card.Job));
            var all = children[tasks.Key].Select(card => card.Job).ToList();
            if (tasks.FirstOrDefault(pair => pair.Refused is not null) is { Refused: { } refused } named) held.AddRange(tasks.Select(pair => (pair.Card.Job, pair == named ? refused : $"{named.Card.Job.Metadata.Name}: {refused}")));
            else if (group?.Metadata.Uid != tasks.Key) held.AddRange(tasks.Select(pair => (pair.Card.Job, "waiting for its group")));
            else if (Blocker(group, all) is { } reason) held.AddRange(tasks.Select(pair => (pair.Card.Job, reason)));
            else if (Together(group, [.. tasks.Select(pair => pair.Card)], all) is { } gang) gangs.Add(gang);
        }
    }

    // Why the gang is not whole yet; null when it is.
    private static string? Blocker(JobGroup group, IReadOnlyList<TrainingJob> children)
    {
        if (children.Count < group.Spec.Tasks.Count(task => task.Job is not null)) return "waiting for the other tasks of its group to be created";
        var late = children.FirstOrDefault(job => IsLate(job) && !Waits(job) && job.Status?.IsOnSlurm() != true);
        return late is null ? null : $"waiting for task {late.Label(Labels.Task) ?? late.Metadata.Name} of its group, which is {late.Status?.Phase ?? TrainingJobPhase.Pending}";
    }

    // It has not started yet, or it is being preempted and will wait with the others.
    private static bool IsLate(TrainingJob job) =>
        job.Status?.HasEnded() != true && ((job.Status?.Attempt ?? 0) == 0 || job.Status?.Phase == TrainingJobPhase.Preempting);

    private static Gang? Together(JobGroup group, IReadOnlyList<JobCard> tasks, IReadOnlyList<TrainingJob> children)
    {
        var parts = tasks.OrderBy(card => card.Job.Metadata.Name, StringComparer.Ordinal).Select(card => card.Shape is { } shape ? Part(card.Job, shape) : null).OfType<GangJob>().ToList();
        if (parts.Count < tasks.Count) return null;
        var begun = children.Any(job => job.Status?.Phase is TrainingJobPhase.Admitted or TrainingJobPhase.Starting or TrainingJobPhase.Running or TrainingJobPhase.Restarting);
        return new Gang(group.Metadata.Uid, tasks.Max(card => Priority(card.Job)), tasks.Min(card => QueuedAt(card.Job)), parts) { Begun = begun, Services = begun ? [] : Services(group) };
    }

    private static List<(ObjectKey Service, int Replicas)> Services(JobGroup group) =>
    [
        .. group.Spec.Tasks.Where(task => task.Service is not null).Select(task => JobGroups.GroupObjects.Inference(group, task)).Select(service => (service.Key(), service.FirstReplicas)),
    ];

    /// <summary>A job that starts by itself.</summary>
    public static Gang Alone(TrainingJob job, Shape shape) => new(job.Metadata.Uid, Priority(job), QueuedAt(job), [Part(job, shape)]);

    private static GangJob Part(TrainingJob job, Shape shape) => new(job.Key(), job.Spec.Nodes ?? 1, shape, NodeAvoidance.Of(job.Status))
    {
        Fewest = Elasticity.SizesOf(job).Fewest,
        Uid = job.Metadata.Uid,
        Queue = job.Spec.Scheduling?.Queue,
        TopologyKey = job.Spec.Scheduling?.Topology?.Key,
        NeedsOneDomain = job.Spec.Scheduling?.Topology is { Mode: null or TopologyMode.Required },
        Kept = NodeSnapshot.Keeps(job) ? job.Status!.Admission!.Ranks! : [],
        KeptSince = NodeSnapshot.Keeps(job) ? KeptSince(job) : null,
    };
}
