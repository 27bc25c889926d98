using k8s;
using k8s.Models;

namespace Trestle.Operator.Views;

/// <summary>What the operator reads of a node; never written back.</summary>
[KubernetesEntity(Group = "", ApiVersion = "v1", Kind = "Node", PluralName = "nodes")]
public sealed class NodeView : IKubernetesObject<V1ObjectMeta>
{
    /// <inheritdoc/>
    public string ApiVersion { get; set; } = "v1";

    /// <inheritdoc/>
    public string Kind { get; set; } = "Node";

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What people and controllers want of it.</summary>
    public NodeViewSpec Spec { get; set; } = new();

    /// <summary>What it says of itself.</summary>
    public NodeViewStatus? Status { get; set; }
}

/// <summary>What people and controllers want of a node.</summary>
public sealed class NodeViewSpec
{
    /// <summary>True: cordoned.</summary>
    public bool? Unschedulable { get; set; }

    /// <summary>What pods must tolerate.</summary>
    public List<TaintView>? Taints { get; set; }
}

/// <summary>What pods must tolerate.</summary>
public sealed class TaintView
{
    /// <summary>E.g. node.kubernetes.io/not-ready.</summary>
    public string Key { get; set; } = "";

    /// <summary>Often absent.</summary>
    public string? Value { get; set; }

    /// <summary>NoSchedule, PreferNoSchedule or NoExecute.</summary>
    public string Effect { get; set; } = "";
}

/// <summary>What a node says of itself.</summary>
public sealed class NodeViewStatus
{
    /// <summary>What pods may ask for, as quantities by resource.</summary>
    public Dictionary<string, string>? Allocatable { get; set; }

    /// <summary>E.g. Ready.</summary>
    public List<NodeConditionView>? Conditions { get; set; }
}

/// <summary>A condition of a node.</summary>
public sealed class NodeConditionView
{
    /// <summary>E.g. Ready.</summary>
    public string Type { get; set; } = "";

    /// <summary>True, False or Unknown.</summary>
    public string Status { get; set; } = "";
}
