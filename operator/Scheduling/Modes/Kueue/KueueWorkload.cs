using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Trestle.Operator.Scheduling.Modes.Kueue;

/// <summary>A Workload of Kueue as it is created; <see cref="KueueWorkloadView"/> is what is read of it.</summary>
[KubernetesEntity(Group = KueueApi.Group, ApiVersion = KueueApi.Version, Kind = "Workload", PluralName = "workloads")]
public sealed class KueueWorkload : IKubernetesObject<V1ObjectMeta>
{
    /// <inheritdoc/>
    public string ApiVersion { get; set; } = KueueApi.ApiVersion;

    /// <inheritdoc/>
    public string Kind { get; set; } = "Workload";

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What is asked for.</summary>
    public KueueWorkloadSpec Spec { get; set; } = new();
}

/// <summary>What is asked of Kueue.</summary>
public sealed class KueueWorkloadSpec
{
    /// <summary>Name of the LocalQueue.</summary>
    public string QueueName { get; set; } = "";

    /// <summary>Higher goes first.</summary>
    public int Priority { get; set; }

    /// <summary>False: never admitted, and evicted when it is.</summary>
    public bool Active { get; set; } = true;

    /// <summary>Its pods.</summary>
    public List<KueuePodSet> PodSets { get; set; } = [];
}

/// <summary>Pods of one shape.</summary>
public sealed class KueuePodSet
{
    /// <summary>Its name.</summary>
    public string Name { get; set; } = "";

    /// <summary>How many.</summary>
    public int Count { get; set; }

    /// <summary>A pod template.</summary>
    public JsonObject Template { get; set; } = [];

    /// <summary>Keeps them close together.</summary>
    public KueueTopologyRequest? TopologyRequest { get; set; }
}

/// <summary>How close pods are kept together: one of required and preferred.</summary>
public sealed class KueueTopologyRequest
{
    /// <summary>Label of nodes: all in one domain.</summary>
    public string? Required { get; set; }

    /// <summary>Label of nodes: one domain where possible.</summary>
    public string? Preferred { get; set; }

    /// <summary>Label of pods with their number.</summary>
    public string? PodIndexLabel { get; set; }
}
