using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Operator.Scheduling.Modes.Gangs;

/// <summary>A PodGroup of Kubernetes 1.36.</summary>
[KubernetesEntity(Group = NativeSpec.Group, ApiVersion = "v1alpha2", Kind = "PodGroup", PluralName = NativeSpec.Plural)]
[EntityRbac(NativeSpec.Group, NativeSpec.Plural, "get,list,watch,create,delete")]
public sealed class PodGroupV1Alpha2 : IPodGroup
{
    /// <inheritdoc/>
    public string ApiVersion { get; set; } = NativeSpec.Group + "/v1alpha2";

    /// <inheritdoc/>
    public string Kind { get; set; } = "PodGroup";

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What was asked for.</summary>
    public NativeSpec Spec { get; set; } = new();

    /// <summary>What the scheduler says of it.</summary>
    public GroupStatusView? Status { get; set; }

    string? IPodGroup.Words => NativeSpec.Words(Status);
}

/// <summary>A PodGroup of Kubernetes 1.37.</summary>
[KubernetesEntity(Group = NativeSpec.Group, ApiVersion = "v1beta1", Kind = "PodGroup", PluralName = NativeSpec.Plural)]
public sealed class PodGroupV1Beta1 : IPodGroup
{
    /// <inheritdoc/>
    public string ApiVersion { get; set; } = NativeSpec.Group + "/v1beta1";

    /// <inheritdoc/>
    public string Kind { get; set; } = "PodGroup";

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What was asked for.</summary>
    public NativeSpec Spec { get; set; } = new();

    /// <summary>What the scheduler says of it.</summary>
    public GroupStatusView? Status { get; set; }

    string? IPodGroup.Words => NativeSpec.Words(Status);
}

/// <summary>What both versions have in common, of the parts that are used.</summary>
public sealed class NativeSpec
{
    internal const string Group = "scheduling.k8s.io";
    internal const string Plural = "podgroups";

    /// <summary>How its pods are placed.</summary>
    public NativeSchedulingPolicy? SchedulingPolicy { get; set; }

    /// <summary>Where they are placed.</summary>
    public NativeConstraints? SchedulingConstraints { get; set; }

    /// <summary>Priority of the whole group.</summary>
    public string? PriorityClassName { get; set; }

    // The newer version has another name for the same condition.
    internal static string? Words(GroupStatusView? status) =>
        status?.Words(condition => condition is { Type: "PodGroupScheduled" or "PodGroupInitiallyScheduled", Status: "False" });
}

/// <summary>How the pods of a group are placed.</summary>
public sealed class NativeSchedulingPolicy
{
    /// <summary>Together.</summary>
    public NativeGang? Gang { get; set; }
}

/// <summary>All or nothing.</summary>
public sealed class NativeGang
{
    /// <summary>Fewest pods to place.</summary>
    public int MinCount { get; set; }
}

/// <summary>Where the pods of a group are placed.</summary>
public sealed class NativeConstraints
{
    /// <summary>All in one domain of each.</summary>
    public List<NativeTopology>? Topology { get; set; }
}

/// <summary>A topology.</summary>
public sealed class NativeTopology
{
    /// <summary>Label of nodes.</summary>
    public string Key { get; set; } = "";
}
