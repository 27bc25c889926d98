using System.ComponentModel.DataAnnotations;
using k8s;
using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>One attempt of one TrainingJob on one Slurm cluster. Internal; users never write it.</summary>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = KubeKind, PluralName = KubePlural)]
[AdditionalPrinterColumn(".spec.cluster", "Cluster", "string")]
[AdditionalPrinterColumn(".status.jobId", "Job", "string")]
[AdditionalPrinterColumn(".status.phase", "Phase", "string")]
[AdditionalPrinterColumn(".status.state", "State", "string")]
[AdditionalPrinterColumn(".status.message", "Why", "string")]
[AdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
public sealed class SlurmJob : IKubernetesObject<V1ObjectMeta>, ISpec<SlurmJobSpec>, IStatus<SlurmJobStatus?>
{
    /// <summary>The kind.</summary>
    public const string KubeKind = "SlurmJob";

    /// <summary>The resource.</summary>
    public const string KubePlural = "slurmjobs";

    /// <inheritdoc/>
    public string ApiVersion { get; set; } = ApiGroup.ApiVersion;

    /// <inheritdoc/>
    public string Kind { get; set; } = KubeKind;

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What to submit. Only cancel may change after creation.</summary>
    [Required]
    [Immutable("cancel", Noun = "the attempt")]
    public SlurmJobSpec Spec { get; set; } = new();

    /// <summary>What Slurm says; written by the bridge.</summary>
    public SlurmJobStatus? Status { get; set; }
}

/// <summary>What to submit.</summary>
public sealed class SlurmJobSpec
{
    /// <summary>Name of the SlurmCluster.</summary>
    [Required, MaxLength(253)]
    public string Cluster { get; set; } = "";

    /// <summary>The TrainingJob.</summary>
    [Required, MaxLength(253)]
    public string Job { get; set; } = "";

    /// <summary>Uid of the TrainingJob.</summary>
    [Required, MaxLength(64)]
    public string JobUid { get; set; } = "";

    /// <summary>The attempt.</summary>
    [Required, Range(1, int.MaxValue)]
    public int? Attempt { get; set; }

    /// <summary>Number of nodes.</summary>
    [Required, Range(1, 10000)]
    public int? Nodes { get; set; }

    /// <summary>The script; holds no secrets.</summary>
    [Required, MaxLength(1048576)]
    public string Script { get; set; } = "";

    /// <summary>Options of sbatch.</summary>
    [MaxLength(128), AtomicList]
    public List<string>? Options { get; set; }

    /// <summary>Secrets to hand over as files.</summary>
    [MaxLength(64), AtomicList]
    public List<NameReference>? SecretRefs { get; set; }

    /// <summary>Seconds from TERM to the end when it is cancelled; 30 when absent.</summary>
    [Range(0, 86400)]
    public int? GraceSeconds { get; set; }

    /// <summary>True: end it.</summary>
    public bool? Cancel { get; set; }
}

/// <summary>What a Slurm job is doing.</summary>
public enum SlurmJobPhase
{
    /// <summary>Not submitted.</summary>
    Pending,

    /// <summary>Waits in Slurm.</summary>
    Queued,

    /// <summary>Nodes are being prepared.</summary>
    Starting,

    /// <summary>Runs.</summary>
    Running,

    /// <summary>Suspended by Slurm.</summary>
    Suspended,

    /// <summary>Ends.</summary>
    Terminating,

    /// <summary>Ended well.</summary>
    Succeeded,

    /// <summary>Ended badly.</summary>
    Failed,

    /// <summary>Ended by a person.</summary>
    Cancelled,

    /// <summary>Slurm did not say; nothing is done.</summary>
    Unknown,
}

/// <summary>What Slurm says.</summary>
public sealed class SlurmJobStatus
{
    /// <summary>Generation of the spec that this status answers.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>What it is doing.</summary>
    public SlurmJobPhase? Phase { get; set; }

    /// <summary>Slurm's job id.</summary>
    public string? JobId { get; set; }

    /// <summary>State as Slurm writes it.</summary>
    public string? State { get; set; }

    /// <summary>Why, as one word.</summary>
    public string? Reason { get; set; }

    /// <summary>Why, as a sentence.</summary>
    public string? Message { get; set; }

    /// <summary>Nodes it has.</summary>
    [AtomicList, MaxLength(10000)]
    public List<string>? Nodes { get; set; }

    /// <summary>Exit code.</summary>
    public int? ExitCode { get; set; }

    /// <summary>Signal it died of.</summary>
    public int? Signal { get; set; }

    /// <summary>The first rank that failed, by its own record.</summary>
    public TrainingJobExit? Exit { get; set; }

    /// <summary>The newest checkpoint that this attempt left in its checkpoint directory; known when it has ended badly.</summary>
    public CheckpointStatus? Checkpoint { get; set; }

    /// <summary>True: the cluster ended it, not the job; another try does not count.</summary>
    public bool? Infrastructure { get; set; }

    /// <summary>When Slurm expects to start it.</summary>
    public DateTime? EstimatedStart { get; set; }

    /// <summary>Restarts by Slurm under the same id.</summary>
    public int? RestartCount { get; set; }

    /// <summary>When it was submitted.</summary>
    public DateTime? SubmittedAt { get; set; }

    /// <summary>When it started.</summary>
    public DateTime? StartedAt { get; set; }

    /// <summary>When it ended.</summary>
    public DateTime? FinishedAt { get; set; }

    /// <summary>Submitted, Running, Complete, Failed, ContactLost, Cancelling, CannotStart.</summary>
    [ListMapKey("type")]
    public List<V1Condition>? Conditions { get; set; }
}
