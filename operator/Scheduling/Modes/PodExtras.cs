using k8s.Models;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>What a mode adds to a pod so that another scheduler takes it as part of its gang.</summary>
internal sealed record PodExtras
{
    /// <summary>Scheduler of pods that name none; null for the cluster's default.</summary>
    public string? SchedulerName { get; init; }

    /// <summary>The PodGroup of Kubernetes' own gang scheduling.</summary>
    public string? PodGroupName { get; init; }

    /// <summary>Labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Annotations.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Labels its node must have.</summary>
    public IReadOnlyDictionary<string, string> NodeSelector { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Taints it stands.</summary>
    public IReadOnlyList<V1Toleration> Tolerations { get; init; } = [];

    /// <summary>Gates that somebody else opens.</summary>
    public IReadOnlyList<string> Gates { get; init; } = [];

    /// <summary>Puts them on a pod and gives it back.</summary>
    public V1Pod Put(V1Pod pod)
    {
        pod.Metadata.Labels = With(pod.Metadata.Labels, Labels);
        pod.Metadata.Annotations = With(pod.Metadata.Annotations, Annotations);
        pod.Spec.NodeSelector = With(pod.Spec.NodeSelector, NodeSelector);
        if (Tolerations.Count > 0) pod.Spec.Tolerations = [.. pod.Spec.Tolerations ?? [], .. Tolerations];
        if (Gates.Count > 0) pod.Spec.SchedulingGates = [.. pod.Spec.SchedulingGates ?? [], .. Gates.Select(gate => new V1PodSchedulingGate { Name = gate })];
        if (PodGroupName is not null) pod.Spec.SchedulingGroup = new V1PodSchedulingGroup { PodGroupName = PodGroupName };
        pod.Spec.SchedulerName ??= SchedulerName;
        return pod;
    }

    private static IDictionary<string, string>? With(IDictionary<string, string>? known, IReadOnlyDictionary<string, string> more)
    {
        if (more.Count == 0) return known;
        var all = new Dictionary<string, string>(known ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        foreach (var (name, value) in more) all[name] = value;
        return all;
    }
}
