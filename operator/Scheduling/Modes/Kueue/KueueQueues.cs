using k8s;
using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Operator.Scheduling.Modes.Kueue;

/// <summary>That a LocalQueue is there is all that is read of it.</summary>
[KubernetesEntity(Group = KueueApi.Group, ApiVersion = KueueApi.Version, Kind = "LocalQueue", PluralName = "localqueues")]
[EntityRbac(KueueApi.Group, "localqueues", "get,list,watch")]
public sealed class KueueLocalQueueView : IKubernetesObject<V1ObjectMeta>
{
    /// <inheritdoc/>
    public string ApiVersion { get; set; } = KueueApi.ApiVersion;

    /// <inheritdoc/>
    public string Kind { get; set; } = "LocalQueue";

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();
}

/// <summary>What the operator reads of a ResourceFlavor.</summary>
[KubernetesEntity(Group = KueueApi.Group, ApiVersion = KueueApi.Version, Kind = "ResourceFlavor", PluralName = "resourceflavors")]
[EntityRbac(KueueApi.Group, "resourceflavors", "get,list,watch")]
public sealed class KueueFlavorView : IKubernetesObject<V1ObjectMeta>
{
    /// <inheritdoc/>
    public string ApiVersion { get; set; } = KueueApi.ApiVersion;

    /// <inheritdoc/>
    public string Kind { get; set; } = "ResourceFlavor";

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What pods of this flavor need.</summary>
    public KueueFlavorSpecView? Spec { get; set; }
}

/// <summary>What pods of a flavor need.</summary>
public sealed class KueueFlavorSpecView
{
    /// <summary>Labels that their nodes have.</summary>
    public Dictionary<string, string>? NodeLabels { get; set; }

    /// <summary>Taints that they stand.</summary>
    public List<V1Toleration>? Tolerations { get; set; }
}
