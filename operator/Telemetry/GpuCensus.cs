using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;

namespace Trestle.Operator.Telemetry;

/// <summary>GPUs of one type of accelerator.</summary>
/// <param name="Allocatable">On all nodes.</param>
/// <param name="Allocated">Held by pods, or reserved for admitted ranks.</param>
/// <param name="Free">Held by nobody, on nodes that take pods.</param>
internal readonly record struct GpuCount(long Allocatable, long Allocated, long Free);

/// <summary>Counts GPUs by accelerator. Unlike a pass it looks at nodes that take no pods as well. Pure.</summary>
internal sealed class GpuCensus
{
    private const string HostNameLabel = "kubernetes.io/hostname";

    private readonly Dictionary<string, Node> _nodes = [];
    private readonly HashSet<(string Uid, int Attempt, int Rank)> _settled = [];

    private GpuCensus()
    {
    }

    public static IReadOnlyDictionary<string, GpuCount> Take(IEnumerable<NodeView> nodes, IEnumerable<PodView> pods, IEnumerable<TrainingJob> jobs, MetricLabels labels)
    {
        var census = new GpuCensus();
        foreach (var node in nodes) census.Add(node, labels);
        foreach (var pod in pods) census.Add(pod);
        foreach (var job in jobs) census.Add(job);
        return census._nodes.Values.GroupBy(node => node.Accelerator).ToDictionary(
            type => type.Key,
            type => new GpuCount(type.Sum(node => node.Allocatable), type.Sum(node => node.Allocated), type.Where(node => node.IsOpen).Sum(node => Math.Max(node.Allocatable - node.Allocated, 0))));
    }

    private void Add(NodeView view, MetricLabels labels)
    {
        if (view.Status?.Allocatable?.GetValueOrDefault(Names.GpuResource) is not { } text) return;
        var gpus = PodRequests.Units(Names.GpuResource, text, up: false);
        if (gpus <= 0) return;
        var accelerator = labels.AcceleratorOf(view.Metadata.Labels is { } known && known.TryGetValue(Labels.Accelerator, out var name) ? name : null);
        var open = view.Spec.Unschedulable != true && view.Metadata.DeletionTimestamp is null
            && view.Status.Conditions?.Exists(condition => condition is { Type: "Ready", Status: "True" }) == true;
        _nodes[view.Metadata.Name] = new Node(accelerator, gpus, open);
    }

    private void Add(PodView pod)
    {
        // A pod that is released and pinned is as good as bound.
        var place = !string.IsNullOrEmpty(pod.Spec.NodeName) ? pod.Spec.NodeName : pod.IsGated() ? null : pod.Spec.NodeSelector?.GetValueOrDefault(HostNameLabel);
        if (pod.JobUid() is { } uid && (place is not null || pod.IsTerminal())) _settled.Add((uid, pod.Attempt(), pod.Rank()));
        if (place is not null && !pod.IsTerminal() && _nodes.TryGetValue(place, out var node)) node.Allocated += PodRequests.Of(pod).GetValueOrDefault(Names.GpuResource);
    }

    private void Add(TrainingJob job)
    {
        if (job.Status?.HasAttempt() != true || !Accelerators.TryParse(job.Spec.Resources?.Accelerators, out var accelerators, out _)) return;
        var admission = job.Status.Admission!;
        foreach (var rank in admission.Ranks ?? [])
        {
            if (!_settled.Contains((job.Metadata.Uid, admission.Attempt, rank.Rank)) && _nodes.TryGetValue(rank.Node, out var node)) node.Allocated += accelerators.Count;
        }
    }

    private sealed class Node(string accelerator, long allocatable, bool open)
    {
        public string Accelerator { get; } = accelerator;

        public long Allocatable { get; } = allocatable;

        public bool IsOpen { get; } = open;

        public long Allocated { get; set; }
    }
}
