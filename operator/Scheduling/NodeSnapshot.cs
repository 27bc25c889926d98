using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;

namespace Trestle.Operator.Scheduling;

/// <summary>What each node has left: allocatable, less its live pods, less what admitted ranks without a placed pod will take.</summary>
internal static class NodeSnapshot
{
    private const string HostNameLabel = "kubernetes.io/hostname";
    private const long DefaultPods = 110;

    /// <summary>Nodes that take pods; the others are left out.</summary>
    /// <param name="nodes">All nodes.</param>
    /// <param name="pods">All pods, of others as well.</param>
    /// <param name="jobs">All jobs, with the admissions that were written last.</param>
    /// <param name="shapeOf">Shape of a job; null when it has none.</param>
    public static IReadOnlyList<PassNode> Take(IEnumerable<NodeView> nodes, IEnumerable<PodView> pods, IEnumerable<TrainingJob> jobs, Func<TrainingJob, Shape?> shapeOf)
    {
        var snapshot = nodes.Where(IsOpen).OrderBy(node => node.Metadata.Name, StringComparer.Ordinal).Select(Read).ToDictionary(node => node.Name);
        var settled = new HashSet<(string Uid, int Attempt, int Rank)>();
        foreach (var pod in pods)
        {
            var place = PlaceOf(pod);
            if (pod.JobUid() is { } uid && (place is not null || pod.IsTerminal())) settled.Add((uid, pod.Attempt(), pod.Rank()));
            if (place is not null && !pod.IsTerminal() && snapshot.TryGetValue(place, out var node)) node.Take(PodRequests.Of(pod).Select(pair => (pair.Key, pair.Value)));
        }

        foreach (var job in jobs.Where(job => job.Status?.HasAttempt() == true)) Reserve(job, snapshot, settled, shapeOf);
        return [.. snapshot.Values];
    }

    /// <summary>Whether a change of a pod (null: there is none) changes what nodes have left.</summary>
    public static bool Differs(PodView? old, PodView? now) => Holds(old) != Holds(now);

    private static (string? Place, bool IsTerminal)? Holds(PodView? pod) => pod is null ? null : (PlaceOf(pod), pod.IsTerminal());

    private static void Reserve(TrainingJob job, Dictionary<string, PassNode> nodes, HashSet<(string Uid, int Attempt, int Rank)> settled, Func<TrainingJob, Shape?> shapeOf)
    {
        var admission = job.Status!.Admission!;
        foreach (var assignment in admission.Ranks ?? [])
        {
            if (settled.Contains((job.Metadata.Uid, admission.Attempt, assignment.Rank)) || !nodes.TryGetValue(assignment.Node, out var node)) continue;
            if (shapeOf(job) is { } shape) node.Take(shape.Requests);
        }
    }

    // A pod that is released and pinned is as good as bound.
    private static string? PlaceOf(PodView pod) =>
        !string.IsNullOrEmpty(pod.Spec.NodeName) ? pod.Spec.NodeName
        : pod.IsGated() ? null
        : pod.Spec.NodeSelector?.GetValueOrDefault(HostNameLabel);

    private static bool IsOpen(NodeView node) =>
        node.Spec.Unschedulable != true
        && node.Metadata.DeletionTimestamp is null
        && node.Status?.Conditions?.Any(condition => condition.Type == "Ready" && condition.Status == "True") == true;

    private static PassNode Read(NodeView node)
    {
        var allocatable = (node.Status?.Allocatable ?? []).ToDictionary(pair => pair.Key, pair => PodRequests.Units(pair.Key, pair.Value, up: false));
        allocatable.TryAdd(PodRequests.Pods, DefaultPods);
        return new PassNode(node.Metadata.Name, new Dictionary<string, string>(node.Metadata.Labels ?? new Dictionary<string, string>()), node.Spec.Taints ?? [], allocatable);
    }
}
