using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Operator.Scheduling.Modes.Gangs;

/// <summary>A PodGroup of the coscheduling plugin.</summary>
[KubernetesEntity(Group = "scheduling.x-k8s.io", ApiVersion = "v1alpha1", Kind = "PodGroup", PluralName = "podgroups")]
[EntityRbac("scheduling.x-k8s.io", "podgroups", "get,list,watch,create,delete")]
public sealed class CoschedulingPodGroup : IPodGroup
{
    /// <inheritdoc/>
    public string ApiVersion { get; set; } = "scheduling.x-k8s.io/v1alpha1";

    /// <inheritdoc/>
    public string Kind { get; set; } = "PodGroup";

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What was asked for.</summary>
    public CoschedulingSpec Spec { get; set; } = new();

    // Its status has a phase and no words: those are in the conditions of the pods.
    string? IPodGroup.Words => null;
}

/// <summary>What was asked of the plugin.</summary>
public sealed class CoschedulingSpec
{
    /// <summary>Fewest pods to place.</summary>
    public int MinMember { get; set; }

    /// <summary>What all its pods ask for together, as quantities by resource; looked at before any is placed.</summary>
    public Dictionary<string, string>? MinResources { get; set; }
}
