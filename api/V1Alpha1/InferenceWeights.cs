using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>Where newer weights come from and how replicas take them.</summary>
[ValidationRule(
    "!has(self.source) || !has(self.source.type) || self.source.type != 'Trainer' || (has(self.source.transport) && self.source.transport != 'nccl') || !has(self.strategy) || self.strategy == 'Barrier'",
    "nccl weights reach all replicas at once; set strategy to Barrier or leave it out", FieldPath = ".strategy")]
public sealed class WeightsSpec
{
    /// <summary>Where newer weights come from.</summary>
    public WeightsSource? Source { get; set; }

    /// <summary>Wanted version, opaque; declared by people (Storage) or by the gateway (Trainer).</summary>
    [MaxLength(256)]
    public string? Version { get; set; }

    /// <summary>Barrier when absent.</summary>
    public WeightsStrategy? Strategy { get; set; }

    /// <summary>Replicas out of rotation at a time when Rolling, number or percentage; 25% when absent.</summary>
    [IntOrString]
    [JsonConverter(typeof(ScalarTextConverter))]
    public string? MaxUnavailable { get; set; }

    /// <summary>What becomes of running requests; keep when absent.</summary>
    public PauseMode? PauseMode { get; set; }

    /// <summary>What becomes of the prefix cache; ResetPrefixCache when absent.</summary>
    public WeightsCache? Cache { get; set; }

    /// <summary>How long each step may take.</summary>
    public WeightsTimeouts? Timeouts { get; set; }

    /// <summary>What a replica that failed an update gets; Quarantine when absent.</summary>
    public WeightsFailure? OnFailure { get; set; }

    /// <summary>Which replicas may answer.</summary>
    public MinServingVersion? MinServingVersion { get; set; }
}

/// <summary>Kind of source of weights.</summary>
public enum WeightsSourceType
{
    /// <summary>Weights don't change.</summary>
    None,

    /// <summary>A trainer sends them.</summary>
    Trainer,

    /// <summary>They are read from a storage.</summary>
    Storage,
}

/// <summary>How weights travel from a trainer.</summary>
public enum WeightsTransport
{
    /// <summary>NCCL broadcast.</summary>
    [JsonStringEnumMemberName("nccl")]
    Nccl,

    /// <summary>HTTP.</summary>
    [JsonStringEnumMemberName("http")]
    Http,
}

/// <summary>Where newer weights come from.</summary>
[ValidationRule("self.type != 'Trainer' || has(self.trainerTask)", "weights from a trainer need source.trainerTask, the task of the group that trains", FieldPath = ".trainerTask")]
[ValidationRule("self.type != 'Storage' || has(self.uriTemplate)", "weights from a storage need source.uriTemplate, e.g. s3://ckpts/step-{version}", FieldPath = ".uriTemplate")]
public sealed class WeightsSource
{
    /// <summary>Kind of source.</summary>
    [Required]
    public WeightsSourceType? Type { get; set; }

    /// <summary>nccl when absent and type is Trainer.</summary>
    public WeightsTransport? Transport { get; set; }

    /// <summary>Task of the group that trains.</summary>
    [MaxLength(50)]
    public string? TrainerTask { get; set; }

    /// <summary>Port of the transfer; 29600 when absent.</summary>
    [Range(1, 65535)]
    public int? Port { get; set; }

    /// <summary>Where a version is, with {version}.</summary>
    [MaxLength(1024)]
    [ValidationRule("self.contains('{version}')", "uriTemplate must hold {version}, e.g. s3://ckpts/step-{version}")]
    public string? UriTemplate { get; set; }

    /// <summary>File that says a version is complete.</summary>
    [MaxLength(256)]
    public string? ReadyMarker { get; set; }
}

/// <summary>Order in which replicas take weights.</summary>
public enum WeightsStrategy
{
    /// <summary>All at once.</summary>
    Barrier,

    /// <summary>Some at a time.</summary>
    Rolling,
}

/// <summary>What becomes of running requests during an update.</summary>
public enum PauseMode
{
    /// <summary>Held and continued.</summary>
    [JsonStringEnumMemberName("keep")]
    Keep,

    /// <summary>Finished first.</summary>
    [JsonStringEnumMemberName("wait")]
    Wait,

    /// <summary>Ended.</summary>
    [JsonStringEnumMemberName("abort")]
    Abort,
}

/// <summary>What becomes of the prefix cache.</summary>
public enum WeightsCache
{
    /// <summary>Emptied.</summary>
    ResetPrefixCache,

    /// <summary>Kept.</summary>
    None,
}

/// <summary>What a replica that failed an update gets.</summary>
public enum WeightsFailure
{
    /// <summary>Stays out of rotation.</summary>
    Quarantine,

    /// <summary>A restart.</summary>
    Restart,
}

/// <summary>How long each step of an update may take.</summary>
public sealed class WeightsTimeouts
{
    /// <summary>60s when absent.</summary>
    [DurationText]
    public string? Pause { get; set; }

    /// <summary>600s when absent.</summary>
    [DurationText]
    public string? Transfer { get; set; }

    /// <summary>30s when absent.</summary>
    [DurationText]
    public string? Resume { get; set; }
}

/// <summary>How far behind a replica may be.</summary>
public enum MinServingPolicy
{
    /// <summary>Not at all.</summary>
    Exact,

    /// <summary>By lag versions.</summary>
    MaxLag,

    /// <summary>As far as it likes.</summary>
    Any,
}

/// <summary>Which replicas may answer.</summary>
public sealed class MinServingVersion
{
    /// <summary>Exact when absent.</summary>
    public MinServingPolicy? Policy { get; set; }

    /// <summary>Versions behind, for MaxLag.</summary>
    [Range(0, 1000000)]
    public int? Lag { get; set; }
}
