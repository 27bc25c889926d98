using System.ComponentModel.DataAnnotations;
using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>What a service is doing.</summary>
public enum InferenceServicePhase
{
    /// <summary>No replica is ready.</summary>
    Pending,

    /// <summary>Models are being loaded.</summary>
    Starting,

    /// <summary>All replicas are ready.</summary>
    Available,

    /// <summary>Some replicas are ready.</summary>
    Degraded,

    /// <summary>Newer weights are being taken.</summary>
    Updating,

    /// <summary>Being ended.</summary>
    Terminating,

    /// <summary>Can't be served.</summary>
    Failed,
}

/// <summary>What became of a service.</summary>
public sealed class InferenceServiceStatus
{
    /// <summary>Generation of the spec that this status answers.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>What it is doing.</summary>
    public InferenceServicePhase? Phase { get; set; }

    /// <summary>Why, as one CamelCase word.</summary>
    public string? Reason { get; set; }

    /// <summary>Why, as a sentence.</summary>
    public string? Message { get; set; }

    /// <summary>Replicas that exist.</summary>
    public int? Replicas { get; set; }

    /// <summary>Replicas that take requests.</summary>
    public int? ReadyReplicas { get; set; }

    /// <summary>Replicas that autoscaling wants; absent without autoscaling.</summary>
    public int? DesiredReplicas { get; set; }

    /// <summary>Label selector of the replicas, as text.</summary>
    public string? Selector { get; set; }

    /// <summary>Where clients ask.</summary>
    public string? Url { get; set; }

    /// <summary>Where the trainer sends weights.</summary>
    public string? WeightsUrl { get; set; }

    /// <summary>Requests of all replicas; written by the gateway.</summary>
    public LoadStatus? Load { get; set; }

    /// <summary>The weights; written by the gateway.</summary>
    public WeightsStatus? Weights { get; set; }

    /// <summary>The replicas; written by the gateway.</summary>
    [ListMapKey("name"), MaxLength(1024)]
    public List<ReplicaStatus>? ReplicaStatuses { get; set; }

    /// <summary>Available, Progressing, WeightsCurrent, Unsupported.</summary>
    [ListMapKey("type")]
    public List<V1Condition>? Conditions { get; set; }
}

/// <summary>Requests of all replicas.</summary>
public sealed class LoadStatus
{
    /// <summary>Requests that wait.</summary>
    public int? Waiting { get; set; }

    /// <summary>Requests that are being answered.</summary>
    public int? Running { get; set; }
}

/// <summary>The weights of a service.</summary>
public sealed class WeightsStatus
{
    /// <summary>Version that is wanted.</summary>
    public string? DesiredVersion { get; set; }

    /// <summary>Version that all ready replicas serve.</summary>
    public string? ServingVersion { get; set; }

    /// <summary>Step of the update in flight.</summary>
    public string? Phase { get; set; }

    /// <summary>Grows when membership changes.</summary>
    public long? Epoch { get; set; }

    /// <summary>Number of the gateway that drives the replicas; each that starts takes the next.</summary>
    public long? Term { get; set; }

    /// <summary>Ranks of all replicas and the trainer.</summary>
    public int? WorldSize { get; set; }

    /// <summary>Replicas at the desired version.</summary>
    public int? UpdatedReplicas { get; set; }

    /// <summary>Replicas by version.</summary>
    [ListMapKey("version"), MaxLength(1024)]
    public List<VersionCount>? Histogram { get; set; }

    /// <summary>The last completed update.</summary>
    public WeightsUpdate? LastUpdate { get; set; }
}

/// <summary>Replicas of one version.</summary>
public sealed class VersionCount
{
    /// <summary>The version.</summary>
    [Required]
    public string Version { get; set; } = "";

    /// <summary>How many replicas.</summary>
    public int Replicas { get; set; }
}

/// <summary>A completed update, times in milliseconds.</summary>
public sealed class WeightsUpdate
{
    /// <summary>The version.</summary>
    public string? Version { get; set; }

    /// <summary>Until all were paused.</summary>
    public long? PauseMs { get; set; }

    /// <summary>Until all had the weights.</summary>
    public long? TransferMs { get; set; }

    /// <summary>Until all answered again.</summary>
    public long? ResumeMs { get; set; }
}

/// <summary>One replica.</summary>
public sealed class ReplicaStatus
{
    /// <summary>Name of its first pod.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>Uid of that pod.</summary>
    public string? Uid { get; set; }

    /// <summary>Address and port.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Version of its weights.</summary>
    public string? Version { get; set; }

    /// <summary>Its first rank in the transfer group.</summary>
    public int? RankOffset { get; set; }

    /// <summary>Its ranks in the transfer group.</summary>
    public int? WorldSize { get; set; }

    /// <summary>Loading, Ready, Paused, Updating, Stale, Quarantined, Stalled, Draining or Lost.</summary>
    public string? State { get; set; }

    /// <summary>Why it gets no requests, when more is known than its state.</summary>
    public string? Message { get; set; }

    /// <summary>Restarts of its container.</summary>
    public int? Restarts { get; set; }
}
