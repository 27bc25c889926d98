using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>A model served by replicas of an engine, with weights that a trainer may update.</summary>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = KubeKind, PluralName = KubePlural)]
[ShortName("isvc")]
[ScaleSubresource(".spec.replicas", ".status.replicas", LabelSelectorPath = ".status.selector")]
[AdditionalPrinterColumn(".status.phase", "Phase", "string", Description = "What it is doing")]
[AdditionalPrinterColumn(".status.readyReplicas", "Ready", "integer")]
[AdditionalPrinterColumn(".spec.replicas", "Replicas", "integer")]
[AdditionalPrinterColumn(".status.weights.servingVersion", "Version", "string", Description = "Weights that are served")]
[AdditionalPrinterColumn(".status.message", "Why", "string", Description = "Why it is doing that")]
[AdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[AdditionalPrinterColumn(".status.url", "Url", "string", Priority = 1)]
[ValidationRule(
    "self.metadata.name.size() <= 52 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "metadata.name must start with a letter, hold lower-case letters, digits and '-' alone and have at most 52 characters, because Services and hosts are named after it")]
[EntityRbac(ApiGroup.Name, "inferenceservices", "list,watch")]
[EntityRbac(ApiGroup.Name, "inferenceservices/finalizers", "update")]
public sealed class InferenceService : IKubernetesObject<V1ObjectMeta>, ISpec<InferenceServiceSpec>, IStatus<InferenceServiceStatus?>
{
    /// <summary>The kind.</summary>
    public const string KubeKind = "InferenceService";

    /// <summary>The resource.</summary>
    public const string KubePlural = "inferenceservices";

    /// <inheritdoc/>
    public string ApiVersion { get; set; } = ApiGroup.ApiVersion;

    /// <inheritdoc/>
    public string Kind { get; set; } = KubeKind;

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What to serve.</summary>
    [Required]
    public InferenceServiceSpec Spec { get; set; } = new();

    /// <summary>What became of it; written by the operator.</summary>
    public InferenceServiceStatus? Status { get; set; }
}

/// <summary>What to serve.</summary>
[ValidationRule(
    "!has(self.autoscaling) || !has(self.weights) || !has(self.weights.source) || !has(self.weights.source.type) || self.weights.source.type != 'Trainer' || (has(self.weights.source.transport) && self.weights.source.transport != 'nccl')",
    "autoscaling can't be used with nccl weights, whose group is fixed; remove autoscaling", FieldPath = ".autoscaling")]
public sealed class InferenceServiceSpec : IHasWorkdir
{
    /// <summary>The model.</summary>
    [Required]
    public ModelSpec Model { get; set; } = new();

    /// <summary>The server that loads the model.</summary>
    public EngineSpec? Engine { get; set; }

    /// <summary>Code that the engine starts in; a ConfigMap alone.</summary>
    [ValidationRule("!has(self.git)", "a service takes its workdir from a ConfigMap; use workdir.configMap", FieldPath = ".git")]
    public Workdir? Workdir { get; set; }

    /// <summary>How one replica is spread over GPUs and nodes.</summary>
    public ParallelismSpec? Parallelism { get; set; }

    /// <summary>What each node of a replica needs.</summary>
    public Resources? Resources { get; set; }

    /// <summary>Number of replicas.</summary>
    [System.ComponentModel.DefaultValue(1), Range(0, 1024)]
    public int? Replicas { get; set; }

    /// <summary>Changes replicas by load.</summary>
    public AutoscalingSpec? Autoscaling { get; set; }

    /// <summary>How a change of the pod template is rolled out.</summary>
    public RolloutSpec? Rollout { get; set; }

    /// <summary>Where newer weights come from.</summary>
    public WeightsSpec? Weights { get; set; }

    /// <summary>Probes and stall detection.</summary>
    public HealthSpec? Health { get; set; }

    /// <summary>How a replica is ended.</summary>
    public TerminationSpec? Termination { get; set; }

    /// <summary>How requests find a replica.</summary>
    public RouterSpec? Router { get; set; }

    /// <summary>Who may use it.</summary>
    public AuthSpec? Auth { get; set; }

    /// <summary>Overlay on the pod template: nodeSelector, tolerations and so on.</summary>
    [PreserveUnknownFields]
    public System.Text.Json.Nodes.JsonObject? PodTemplate { get; set; }
}

/// <summary>A model and how it is loaded.</summary>
public sealed class ModelSpec
{
    /// <summary>hf://owner/name, s3://bucket/path, or an absolute path.</summary>
    [Required, MaxLength(1024), RegularExpression("^(hf://[^-]|s3://|/).*$")]
    public string Uri { get; set; } = "";

    /// <summary>Branch, tag or commit on the hub.</summary>
    [MaxLength(256)]
    public string? Revision { get; set; }

    /// <summary>Name that clients ask for; the last part of the uri when absent.</summary>
    [MaxLength(256)]
    public string? ServedName { get; set; }

    /// <summary>As the engine names it; auto when absent.</summary>
    [MaxLength(64)]
    public string? LoadFormat { get; set; }

    /// <summary>Secret with the hub's token under key token.</summary>
    public NameReference? TokenSecretRef { get; set; }

    /// <summary>Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.</summary>
    public NameReference? CredentialsSecretRef { get; set; }

    /// <summary>Where downloaded files are kept.</summary>
    public ModelCache? Cache { get; set; }

    /// <summary>Longest context; the model's own when absent.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxModelLen { get; set; }

    /// <summary>As the engine names it; auto when absent.</summary>
    [MaxLength(64)]
    public string? Dtype { get; set; }

    /// <summary>Share of GPU memory the engine may take, e.g. "0.9".</summary>
    [MaxLength(8), RegularExpression("^(0?\\.[0-9]+|1|1\\.0+)$")]
    public string? GpuMemoryUtilization { get; set; }
}

/// <summary>What holds downloaded model files.</summary>
public enum ModelCacheType
{
    /// <summary>A directory that goes with the pod.</summary>
    EmptyDir,

    /// <summary>A directory of the node.</summary>
    HostPath,

    /// <summary>A volume claim.</summary>
    PersistentVolumeClaim,
}

/// <summary>Where downloaded model files are kept.</summary>
[ValidationRule("!has(self.type) || self.type == 'EmptyDir' || has(self.source)", "cache.source must name the directory or the claim", FieldPath = ".source")]
public sealed class ModelCache
{
    /// <summary>EmptyDir when absent.</summary>
    public ModelCacheType? Type { get; set; }

    /// <summary>Directory of the node or name of the claim.</summary>
    [MaxLength(512)]
    public string? Source { get; set; }

    /// <summary>Most bytes, e.g. 100Gi.</summary>
    [QuantityText]
    [JsonConverter(typeof(ScalarTextConverter))]
    public string? Size { get; set; }

    /// <summary>Path in the container; /models when absent.</summary>
    [MaxLength(512), RegularExpression("^/.*$")]
    public string? MountPath { get; set; }
}

/// <summary>The server that loads the model.</summary>
public sealed class EngineSpec
{
    /// <summary>Image of engines that name none.</summary>
    public const string DefaultImage = "vllm/vllm-openai:v0.32.0";

    /// <summary>Container image; vllm/vllm-openai:v0.32.0 when absent.</summary>
    [MaxLength(1024)]
    public string? Image { get; set; }

    /// <summary>Program that takes the model and the arguments of vllm serve; vllm serve when absent.</summary>
    [MaxLength(64), AtomicList]
    public List<string>? Command { get; set; }

    /// <summary>More arguments; what the operator sets itself is refused.</summary>
    [MaxLength(128), AtomicList]
    [ValidationRule(
        "!(self.split('=', 2)[0] in ['--model', '--served-model-name', '--host', '--port', '--tensor-parallel-size', '-tp', '--pipeline-parallel-size', '-pp', "
        + "'--data-parallel-size', '-dp', '--enable-expert-parallel', '--nnodes', '--node-rank', '--headless', '--master-addr', '--master-port', "
        + "'--load-format', '--revision', '--shutdown-timeout', '--max-model-len', '--dtype', '--gpu-memory-utilization', '--api-key', '--weight-transfer-config'])",
        "this argument is set by the operator; use the field of spec.model, spec.parallelism, spec.weights or spec.auth instead", OnItems = true)]
    public List<string>? Args { get; set; }

    /// <summary>Environment variables.</summary>
    [MaxLength(512), ListMapKey("name")]
    public List<EnvVar>? Env { get; set; }
}

/// <summary>How one replica is spread over GPUs and nodes.</summary>
public sealed class ParallelismSpec
{
    /// <summary>GPUs that share a layer; 1 when absent.</summary>
    [Range(1, 1024)]
    public int? Tensor { get; set; }

    /// <summary>Stages of layers; 1 when absent.</summary>
    [Range(1, 1024)]
    public int? Pipeline { get; set; }

    /// <summary>Copies in one engine; 1 when absent.</summary>
    [Range(1, 1024)]
    public int? Data { get; set; }

    /// <summary>True: experts are spread.</summary>
    public bool? Expert { get; set; }

    /// <summary>Nodes of one replica, a leader and workers; 1 when absent.</summary>
    [Range(1, 1024)]
    public int? Nodes { get; set; }
}

/// <summary>What autoscaling looks at.</summary>
public enum AutoscalingMetric
{
    /// <summary>Requests waiting per replica.</summary>
    [System.Text.Json.Serialization.JsonStringEnumMemberName("requestsWaiting")]
    RequestsWaiting,

    /// <summary>Requests running per replica.</summary>
    [System.Text.Json.Serialization.JsonStringEnumMemberName("requestsRunning")]
    RequestsRunning,
}

/// <summary>Changes replicas by load.</summary>
[ValidationRule("!has(self.min) || self.min <= self.max", "autoscaling.min must not be greater than autoscaling.max", FieldPath = ".min")]
public sealed class AutoscalingSpec
{
    /// <summary>Fewest replicas; 1 when absent.</summary>
    [Range(0, 1024)]
    public int? Min { get; set; }

    /// <summary>Most replicas.</summary>
    [Required, Range(1, 1024)]
    public int? Max { get; set; }

    /// <summary>requestsWaiting when absent.</summary>
    public AutoscalingMetric? Metric { get; set; }

    /// <summary>Value per replica to keep; 5 when absent.</summary>
    [Range(1, 100000)]
    public int? Target { get; set; }
}

/// <summary>How a change of the pod template is rolled out.</summary>
public sealed class RolloutSpec
{
    /// <summary>More replicas than wanted, number or percentage; 1 when absent.</summary>
    [IntOrString]
    [JsonConverter(typeof(ScalarTextConverter))]
    public string? MaxSurge { get; set; }

    /// <summary>Fewer ready replicas than wanted, number or percentage; 0 when absent.</summary>
    [IntOrString]
    [JsonConverter(typeof(ScalarTextConverter))]
    public string? MaxUnavailable { get; set; }
}

/// <summary>Probes and stall detection.</summary>
public sealed class HealthSpec
{
    /// <summary>While the model is loaded.</summary>
    public ProbeSpec? Startup { get; set; }

    /// <summary>Whether it takes requests.</summary>
    public ProbeSpec? Readiness { get; set; }

    /// <summary>Whether it must be restarted.</summary>
    public ProbeSpec? Liveness { get; set; }

    /// <summary>Requests run and no token comes.</summary>
    public StallSpec? Stall { get; set; }
}

/// <summary>An HTTP probe.</summary>
public sealed class ProbeSpec
{
    /// <summary>Path, e.g. /health.</summary>
    [MaxLength(512), RegularExpression("^/.*$")]
    public string? Path { get; set; }

    /// <summary>Seconds between probes.</summary>
    [Range(1, 3600)]
    public int? PeriodSeconds { get; set; }

    /// <summary>Seconds to wait for an answer.</summary>
    [Range(1, 3600)]
    public int? TimeoutSeconds { get; set; }

    /// <summary>Failures in a row.</summary>
    [Range(1, 100000)]
    public int? FailureThreshold { get; set; }
}

/// <summary>What a stalled replica gets.</summary>
public enum StallAction
{
    /// <summary>A restart.</summary>
    Restart,

    /// <summary>Nothing but a condition.</summary>
    None,
}

/// <summary>Requests run and no token comes.</summary>
public sealed class StallSpec
{
    /// <summary>For so long; 120s when absent.</summary>
    [DurationText]
    public string? NoProgress { get; set; }

    /// <summary>Restart when absent.</summary>
    public StallAction? Action { get; set; }
}

/// <summary>How a replica is ended.</summary>
public sealed class TerminationSpec
{
    /// <summary>Out of rotation, before TERM; 15s when absent.</summary>
    [DurationText]
    public string? PreStop { get; set; }

    /// <summary>For running requests; 45s when absent.</summary>
    [DurationText]
    public string? Drain { get; set; }
}

/// <summary>How requests find a replica.</summary>
public enum RouterPolicy
{
    /// <summary>The replica with the fewest requests.</summary>
    LeastRequest,

    /// <summary>In turn.</summary>
    RoundRobin,

    /// <summary>The same replica for the same session.</summary>
    Session,
}

/// <summary>How requests find a replica.</summary>
public sealed class RouterSpec
{
    /// <summary>LeastRequest when absent.</summary>
    public RouterPolicy? Policy { get; set; }

    /// <summary>Header that names the session.</summary>
    [MaxLength(128), RegularExpression("^[A-Za-z0-9-]+$")]
    public string? SessionHeader { get; set; }

    /// <summary>Memory that the gateway may use, e.g. 4Gi; 1Gi when absent. A quarter of it keeps requests that have no answer yet.</summary>
    [QuantityText]
    [JsonConverter(typeof(ScalarTextConverter))]
    public string? Memory { get; set; }
}

/// <summary>Who may use the service.</summary>
public sealed class AuthSpec
{
    /// <summary>Secret with the key that clients send, under api-key.</summary>
    public NameReference? ApiKeySecretRef { get; set; }

    /// <summary>True (when absent): control routes are reachable by the gateway alone.</summary>
    public bool? IsolateAdmin { get; set; }
}
