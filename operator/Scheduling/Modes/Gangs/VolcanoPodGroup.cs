using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Operator.Scheduling.Modes.Gangs;

/// <summary>A PodGroup of Volcano.</summary>
[KubernetesEntity(Group = "scheduling.volcano.sh", ApiVersion = "v1beta1", Kind = "PodGroup", PluralName = "podgroups")]
[EntityRbac("scheduling.volcano.sh", "podgroups", "get,list,watch,create,delete")]
public sealed class VolcanoPodGroup : IPodGroup
{
    /// <inheritdoc/>
    public string ApiVersion { get; set; } = "scheduling.volcano.sh/v1beta1";

    /// <inheritdoc/>
    public string Kind { get; set; } = "PodGroup";

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What was asked for.</summary>
    public VolcanoSpec Spec { get; set; } = new();

    /// <summary>What the scheduler says of it.</summary>
    public GroupStatusView? Status { get; set; }

    string? IPodGroup.Words => Status?.Words(condition => condition is { Type: "Unschedulable", Status: "True" });
}

/// <summary>What was asked of Volcano.</summary>
public sealed class VolcanoSpec
{
    /// <summary>Fewest pods to place.</summary>
    public int MinMember { get; set; }

    /// <summary>Its queue; Volcano's default one when absent.</summary>
    public string? Queue { get; set; }

    /// <summary>Priority of the whole group.</summary>
    public string? PriorityClassName { get; set; }

    /// <summary>What all its pods ask for together, as quantities by resource; held against the queue.</summary>
    public Dictionary<string, string>? MinResources { get; set; }
}
