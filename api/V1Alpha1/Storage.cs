using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>A place for checkpoints and data that jobs mount by name.</summary>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = KubeKind, PluralName = KubePlural)]
[ShortName("storage")]
[AdditionalPrinterColumn(".status.phase", "Phase", "string")]
[AdditionalPrinterColumn(".spec.s3.bucket", "Bucket", "string")]
[AdditionalPrinterColumn(".spec.file.path", "Path", "string")]
[AdditionalPrinterColumn(".status.bytes", "Bytes", "integer")]
[AdditionalPrinterColumn(".status.message", "Why", "string")]
[AdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[EntityRbac(ApiGroup.Name, "storages", "list,watch,create")]
[EntityRbac(ApiGroup.Name, "storages/status", "update")]
public sealed class Storage : IKubernetesObject<V1ObjectMeta>, ISpec<StorageSpec>, IStatus<StorageStatus?>
{
    /// <summary>The kind.</summary>
    public const string KubeKind = "Storage";

    /// <summary>The resource.</summary>
    public const string KubePlural = "storages";

    /// <inheritdoc/>
    public string ApiVersion { get; set; } = ApiGroup.ApiVersion;

    /// <inheritdoc/>
    public string Kind { get; set; } = KubeKind;

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>Where the objects are.</summary>
    [Required]
    public StorageSpec Spec { get; set; } = new();

    /// <summary>What is in it; written by the operator.</summary>
    public StorageStatus? Status { get; set; }
}

/// <summary>Where the objects are: one of s3 and file.</summary>
[ValidationRule("has(self.s3) != has(self.file)", "a Storage needs exactly one of s3 and file")]
public sealed class StorageSpec
{
    /// <summary>A bucket.</summary>
    public S3Storage? S3 { get; set; }

    /// <summary>A directory (one machine, NFS).</summary>
    public FileStorage? File { get; set; }

    /// <summary>The local cache of MountCached.</summary>
    public StorageCache? Cache { get; set; }

    /// <summary>Paths that are checkpoints, with * and ?; step-*, checkpoint-*, iter_*, global_step*, epoch-* and the like when absent.</summary>
    [MaxLength(32), AtomicList]
    [ValidationRule("!self.startsWith('/') && !self.contains('..') && !self.contains(',')", "a pattern of checkpoints must be relative and without '..' and ',', e.g. step-*", OnItems = true)]
    public List<string>? Checkpoints { get; set; }

    /// <summary>Whether a job waits at its end for what it wrote; Wait when absent.</summary>
    public FlushMode? Flush { get; set; }
}

/// <summary>Whether a job waits at its end for what it wrote.</summary>
public enum FlushMode
{
    /// <summary>It has succeeded when all of it is in the storage.</summary>
    Wait,

    /// <summary>It has succeeded when its code has; what is left is brought to the storage within the grace period of its pods.</summary>
    Background,
}

/// <summary>A bucket of an S3 service.</summary>
public sealed class S3Storage
{
    /// <summary>Name of the bucket.</summary>
    [Required, MinLength(1), MaxLength(255)]
    public string Bucket { get; set; } = "";

    /// <summary>Put before every key, e.g. team-a/.</summary>
    [MaxLength(1024)]
    public string? Prefix { get; set; }

    /// <summary>Address of the service; AWS when absent.</summary>
    [MaxLength(2048), RegularExpression("^https?://.+$")]
    public string? Endpoint { get; set; }

    /// <summary>Region, e.g. eu-west-1.</summary>
    [MaxLength(64)]
    public string? Region { get; set; }

    /// <summary>True: the bucket is in the path instead of the host name.</summary>
    public bool? PathStyle { get; set; }

    /// <summary>Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.</summary>
    public NameReference? CredentialsSecretRef { get; set; }
}

/// <summary>A directory.</summary>
public sealed class FileStorage
{
    /// <summary>Absolute path on every node.</summary>
    [Required, MaxLength(1024)]
    [ValidationRule("self.startsWith('/') && !self.contains('..')", "file.path must be absolute and without '..', e.g. /shared/objects")]
    public string Path { get; set; } = "";
}

/// <summary>The local cache of MountCached.</summary>
public sealed class StorageCache
{
    /// <summary>Most bytes kept, e.g. 2Ti.</summary>
    [QuantityText]
    [JsonConverter(typeof(ScalarTextConverter))]
    public string? Size { get; set; }

    /// <summary>LocalSSD, Memory, or an absolute path; LocalSSD when absent.</summary>
    [MaxLength(1024), RegularExpression("^(LocalSSD|Memory|/.*)$")]
    public string? Medium { get; set; }
}

/// <summary>Whether a storage can be used.</summary>
public enum StoragePhase
{
    /// <summary>Not looked at yet.</summary>
    Pending,

    /// <summary>Can be used.</summary>
    Ready,

    /// <summary>Can't be used.</summary>
    Failed,
}

/// <summary>What is in a storage.</summary>
public sealed class StorageStatus
{
    /// <summary>Generation of the spec that this status answers.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>Whether it can be used.</summary>
    public StoragePhase? Phase { get; set; }

    /// <summary>Why, as one CamelCase word.</summary>
    public string? Reason { get; set; }

    /// <summary>Why, as a sentence.</summary>
    public string? Message { get; set; }

    /// <summary>When a bucket was last looked into.</summary>
    public DateTime? LookedAt { get; set; }

    /// <summary>Bytes stored.</summary>
    public long? Bytes { get; set; }

    /// <summary>Objects stored.</summary>
    public long? Objects { get; set; }

    /// <summary>The last 20.</summary>
    [ListMapKey("name"), MaxLength(20)]
    public List<StoredCheckpoint>? Checkpoints { get; set; }

    /// <summary>Ready, Unsupported.</summary>
    [ListMapKey("type")]
    public List<V1Condition>? Conditions { get; set; }
}

/// <summary>A durable checkpoint.</summary>
public sealed class StoredCheckpoint
{
    /// <summary>Name, e.g. step-1200.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>Size.</summary>
    public long? Bytes { get; set; }

    /// <summary>Since when it is durable.</summary>
    public DateTime? DurableAt { get; set; }

    /// <summary>Where it is.</summary>
    public string? Uri { get; set; }
}
