using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>
/// A replica of a service as a pass sees it. It has no status of its own: it waits as pods that are held back, and has its nodes
/// when they are let go.
/// </summary>
/// <param name="Key">The replica.</param>
/// <param name="Name">Namespace, and name of the service with the ordinal.</param>
/// <param name="Waiting">Pods to be let go, when all pods of the replica are there; else none.</param>
/// <param name="Placed">Pods that were let go.</param>
/// <param name="Shape">What each pod asks for.</param>
internal sealed record ReplicaClaim(ReplicaKey Key, ObjectKey Name, IReadOnlyList<PodView> Waiting, IReadOnlyList<PodView> Placed, Shape Shape)
{
    /// <summary>Higher goes first.</summary>
    public int Priority { get; init; }

    /// <summary>Name of its queue; null for the default.</summary>
    public string? Queue { get; init; }

    /// <summary>Since when it waits: since its service is there, so that a replica that is made anew does not lose its place to those who came later.</summary>
    public DateTime QueuedAt { get; init; }

    /// <summary>Its service.</summary>
    public ObjectKey Service { get; init; }

    /// <summary>Uid of the group whose tasks start together, when it is one of them; else null.</summary>
    public string? GroupUid { get; init; }

    /// <summary>Tasks of its group have their nodes already: it goes before all others.</summary>
    public bool IsAwaited { get; init; }

    /// <summary>What decides between equals.</summary>
    public string Uid => $"{Key.ServiceUid}/{Key.Ordinal}";

    /// <summary>All replicas of the services.</summary>
    /// <param name="services">The services.</param>
    /// <param name="podsOf">Pods of a service by its uid.</param>
    /// <param name="tolerationsOf">Taints that pods of a service stand.</param>
    /// <param name="groupOf">The group by namespace and name; null when it is not there.</param>
    /// <param name="holding">Jobs that have nodes.</param>
    public static IReadOnlyList<ReplicaClaim> Of(
        IEnumerable<InferenceService> services, Func<string, IEnumerable<PodView>> podsOf, Func<InferenceService, IReadOnlyList<V1Toleration>> tolerationsOf, Func<ObjectKey, JobGroup?> groupOf, IReadOnlyList<JobCard> holding)
    {
        var begun = new Lazy<HashSet<string>>(() => holding.Select(card => card.GroupUid).OfType<string>().ToHashSet());
        var claims = new List<ReplicaClaim>();
        foreach (var service in services.Where(service => !service.IsDeleting()))
        {
            var tolerations = new Lazy<IReadOnlyList<V1Toleration>>(() => tolerationsOf(service));
            var group = service.ControllerOwner() is { Kind: JobGroup.KubeKind } owner ? groupOf(new ObjectKey(service.Metadata.NamespaceProperty ?? "", owner.Name)) : null;
            foreach (var pods in podsOf(service.Metadata.Uid).Where(pod => pod.IsOfReplica()).GroupBy(pod => pod.Replica())) claims.Add(Of(service, group, pods.Key, [.. pods.OrderBy(pod => pod.Rank())], tolerations) with { IsAwaited = group?.Spec.Gang != GangPolicy.PerTask && group is not null && begun.Value.Contains(group.Metadata.Uid) });
        }

        return claims;
    }

    private static ReplicaClaim Of(InferenceService service, JobGroup? group, int ordinal, List<PodView> pods, Lazy<IReadOnlyList<V1Toleration>> tolerations)
    {
        var waiting = pods.FindAll(pod => pod.IsGated());
        var isWhole = pods.Count == (service.Spec.Parallelism?.Nodes ?? 1) && !pods.Exists(pod => pod.IsTerminating() || pod.IsTerminal());
        var first = waiting.Count > 0 ? waiting[0] : pods[0];
        var jobs = (group?.Spec.Tasks ?? []).Select(task => task.Job?.Scheduling).OfType<Api.V1Alpha1.Scheduling>().ToList();
        return new ReplicaClaim(
            new ReplicaKey(service.Metadata.Uid, ordinal),
            new ObjectKey(service.Metadata.NamespaceProperty ?? "", $"{service.Metadata.Name}-{ordinal}"),
            isWhole ? waiting : [],
            pods.FindAll(pod => !pod.IsGated() && !pod.IsTerminal()),
            new Shape(PodRequests.Of(first), first.Spec.NodeSelector, waiting.Count > 0 ? tolerations.Value : null))
        {
            Service = service.Key(),
            GroupUid = group?.Spec.Gang == GangPolicy.PerTask ? null : group?.Metadata.Uid,
            Priority = jobs.Max(job => job.Priority) ?? 0,
            Queue = jobs.Find(job => job.Queue is not null)?.Queue,
            QueuedAt = service.Metadata.CreationTimestamp ?? DateTime.MaxValue,
        };
    }

    /// <summary>The replica as a gang; what was let go of it or of its group before was cut off by a crash.</summary>
    public Gang ToGang() => new(Uid, Priority, QueuedAt, [ToPart()]) { Begun = IsAwaited || Placed.Count > 0 };

    /// <summary>The replica as a part of a gang.</summary>
    public GangJob ToPart() => new(Name, Waiting.Count, Shape, new HashSet<string>()) { Uid = Uid, Queue = Queue, Replica = this };
}
