using System.Runtime.CompilerServices;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>What each node has left: allocatable, less its live pods, less what admitted ranks without a placed pod will take, less what restarts keep.</summary>
/// <param name="Nodes">Nodes that take pods, in the order of their names.</param>
/// <param name="Holds">What jobs with an attempt, and those that restart, hold of them; by uid.</param>
internal sealed record NodeSnapshot(IReadOnlyList<PassNode> Nodes, IReadOnlyDictionary<string, JobHold> Holds)
{
    private const long DefaultPods = 110;

    // Nodes change rarely and passes come often.
    private static readonly ConditionalWeakTable<NodeView, Tuple<Dictionary<string, string>, Dictionary<string, long>>> Known = [];

    // A pod that should have ended so long ago may never do so.
    private static readonly TimeSpan Overdue = TimeSpan.FromMinutes(1);

    /// <summary>Looks at all nodes and pods.</summary>
    /// <param name="nodes">All nodes.</param>
    /// <param name="pods">All pods, of others as well.</param>
    /// <param name="holding">All jobs that have nodes, with the admissions that were written last.</param>
    /// <param name="now">The time.</param>
    public static NodeSnapshot Take(IEnumerable<NodeView> nodes, IEnumerable<PodView> pods, IEnumerable<JobCard> holding, DateTimeOffset now)
    {
        var open = nodes.Where(IsOpen).OrderBy(node => node.Metadata.Name, StringComparer.Ordinal).Select(Read).ToList();
        var indexes = new Dictionary<string, int>(open.Count);
        foreach (var node in open) indexes[node.Name] = indexes.Count;

        // Pods are pinned by this label, whose value need not be the name.
        for (var at = 0; at < open.Count; at++) indexes.TryAdd(open[at].Labels.GetValueOrDefault(PodUse.HostNameLabel, open[at].Name), at);
        Dictionary<string, JobHold> holds = [];
        Dictionary<string, ObjectKey> preempting = [];
        List<(JobHold, AdmissionStatus)> reservations = [];
        foreach (var card in holding)
        {
            var job = card.Job;
            if (job.Status?.Phase == TrainingJobPhase.Preempting) preempting[job.Metadata.Uid] = job.Key();
            if (job.Status is not { Admission: { } admission } status || !(status.HasAttempt() || Keeps(job))) continue;
            var hold = holds[job.Metadata.Uid] = new JobHold(admission.Attempt, isKept: !status.HasAttempt(), card.Shape);
            reservations.Add((hold, admission));
        }

        var deadline = (now - Overdue).UtcDateTime;
        foreach (var use in pods.Select(PodUse.Of))
        {
            if (use.Place is null && !use.IsTerminal) continue;
            var index = use.Place is null ? -1 : indexes.GetValueOrDefault(use.Place, -1);
            var node = index < 0 ? null : open[index];
            if (use.JobUid is not null && holds.TryGetValue(use.JobUid, out var hold)) hold.See(use, index, node);
            else if (node is not null && !use.IsTerminal) TakeOther(node, use, preempting, deadline);
        }

        foreach (var (hold, admission) in reservations) hold.Reserve(admission.Ranks ?? [], name => indexes.GetValueOrDefault(name, -1), open);
        return new NodeSnapshot(open, holds);
    }

    /// <summary>Whether a change of a pod (null: there is none) changes what nodes have left.</summary>
    public static bool Differs(PodView? old, PodView? now) => Footprint(old) != Footprint(now);

    /// <summary>Whether the job restarts and nodes of its last attempt are kept for it.</summary>
    public static bool Keeps(TrainingJob job) => job.Status is { Phase: TrainingJobPhase.Restarting, Admission.Ranks.Count: > 0 } && !job.IsDeleting();

    private static (string? Place, bool IsTerminal)? Footprint(PodView? pod) => pod is null ? null : (PodUse.Of(pod).Place, pod.IsTerminal());

    // A job without an attempt has its pods ended.
    private static void TakeOther(PassNode node, PodUse pod, Dictionary<string, ObjectKey> preempting, DateTime deadline)
    {
        if (pod.JobUid is null) node.TakeForeign(pod.Amounts);
        else if (pod.EndsBy < deadline) node.Take(pod.Amounts);
        else node.TakeEnding(pod.Amounts, preempting.TryGetValue(pod.JobUid, out var job) ? job : null);
    }

    private static bool IsOpen(NodeView node) =>
        node.Spec.Unschedulable != true
        && node.Metadata.DeletionTimestamp is null
        && node.Status?.Conditions?.Any(condition => condition.Type == "Ready" && condition.Status == "True") == true;

    private static PassNode Read(NodeView node)
    {
        var (labels, allocatable) = Known.GetValue(node, static node => Tuple.Create(new Dictionary<string, string>(node.Metadata.Labels ?? new Dictionary<string, string>()), Allocatable(node)));
        return new PassNode(node.Metadata.Name, labels, node.Spec.Taints ?? [], allocatable);
    }

    private static Dictionary<string, long> Allocatable(NodeView node)
    {
        var allocatable = (node.Status?.Allocatable ?? []).ToDictionary(pair => pair.Key, pair => PodRequests.Units(pair.Key, pair.Value, up: false));
        allocatable.TryAdd(PodRequests.Pods, DefaultPods);
        return allocatable;
    }
}
