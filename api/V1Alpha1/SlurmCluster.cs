using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using k8s;
using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>A Slurm cluster that jobs can be placed on; set up by an administrator.</summary>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = KubeKind, PluralName = KubePlural)]
[EntityScope(EntityScope.Cluster)]
[ShortName("slurm")]
[AdditionalPrinterColumn(".status.reachable", "Reachable", "boolean")]
[AdditionalPrinterColumn(".spec.ssh.host", "Host", "string")]
[AdditionalPrinterColumn(".status.version", "Version", "string")]
[AdditionalPrinterColumn(".status.message", "Why", "string")]
[AdditionalPrinterColumn(".status.lastSeen", "Seen", "date")]
public sealed class SlurmCluster : IKubernetesObject<V1ObjectMeta>, ISpec<SlurmClusterSpec>, IStatus<SlurmClusterStatus?>
{
    /// <summary>The kind.</summary>
    public const string KubeKind = "SlurmCluster";

    /// <summary>The resource.</summary>
    public const string KubePlural = "slurmclusters";

    /// <inheritdoc/>
    public string ApiVersion { get; set; } = ApiGroup.ApiVersion;

    /// <inheritdoc/>
    public string Kind { get; set; } = KubeKind;

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>How to reach and use it.</summary>
    [Required]
    public SlurmClusterSpec Spec { get; set; } = new();

    /// <summary>What was seen of it; written by the bridge.</summary>
    public SlurmClusterStatus? Status { get; set; }
}

/// <summary>How to reach and use a Slurm cluster.</summary>
public sealed class SlurmClusterSpec
{
    /// <summary>The login node.</summary>
    [Required]
    public SshTarget Ssh { get; set; } = new();

    /// <summary>Who a namespace may be on this cluster; no match is refused.</summary>
    [Required, MinLength(1), MaxLength(512), AtomicList]
    public List<SlurmUser> Users { get; set; } = [];

    /// <summary>For jobs that don't say.</summary>
    public SlurmDefaults? Defaults { get; set; }

    /// <summary>Where attempt directories live on the shared file system; ~/.trestle when absent.</summary>
    [MaxLength(512)]
    public string? WorkRoot { get; set; }

    /// <summary>The program trestle-node on the compute nodes, which serves mounts of buckets; the one on their PATH when absent.</summary>
    [MaxLength(512), RegularExpression("^[A-Za-z0-9._/-]+$")]
    public string? NodeProgram { get; set; }

    /// <summary>How images are run; Auto when absent.</summary>
    public SlurmContainer? Container { get; set; }

    /// <summary>How often the cluster is asked.</summary>
    public SlurmPoll? Poll { get; set; }
}

/// <summary>How images are run on Slurm nodes.</summary>
public enum SlurmContainer
{
    /// <summary>Pyxis, else Apptainer, else the host.</summary>
    Auto,

    /// <summary>Pyxis on srun.</summary>
    Pyxis,

    /// <summary>Apptainer.</summary>
    Apptainer,

    /// <summary>On the host.</summary>
    None,
}

/// <summary>A host reached by SSH.</summary>
public sealed class SshTarget
{
    /// <summary>Name or address.</summary>
    [Required, MinLength(1), MaxLength(253), RegularExpression("^[^-].*$")]
    public string Host { get; set; } = "";

    /// <summary>Port.</summary>
    [DefaultValue(22), Range(1, 65535)]
    public int? Port { get; set; }

    /// <summary>Hosts to go through, in order: [user@]host[:port].</summary>
    [MaxLength(8), AtomicList]
    public List<string>? JumpHosts { get; set; }

    /// <summary>Secret with known_hosts; the connection is refused when the host's key is not in it.</summary>
    public NamespacedReference? KnownHostsSecretRef { get; set; }
}

/// <summary>An object by namespace and name.</summary>
public sealed class NamespacedReference
{
    /// <summary>Namespace; the operator's when absent.</summary>
    [MaxLength(63)]
    public string? Namespace { get; set; }

    /// <summary>Name of the object.</summary>
    [Required, MaxLength(253)]
    public string Name { get; set; } = "";
}

/// <summary>Who some namespaces are on a cluster.</summary>
public sealed class SlurmUser
{
    /// <summary>Namespaces this holds for.</summary>
    [Required, MinLength(1), MaxLength(512), AtomicList]
    public List<string> Namespaces { get; set; } = [];

    /// <summary>User name on the cluster.</summary>
    [Required, MaxLength(256), RegularExpression("^[A-Za-z0-9_][A-Za-z0-9_.@-]*$")]
    public string User { get; set; } = "";

    /// <summary>Secret with ssh-privatekey.</summary>
    [Required]
    public NamespacedReference KeySecretRef { get; set; } = new();
}

/// <summary>For jobs that don't say.</summary>
public sealed class SlurmDefaults
{
    /// <summary>Partition.</summary>
    [MaxLength(256)]
    public string? Partition { get; set; }

    /// <summary>Account to charge.</summary>
    [MaxLength(256)]
    public string? Account { get; set; }

    /// <summary>Quality of service.</summary>
    [MaxLength(256)]
    public string? Qos { get; set; }
}

/// <summary>How often a cluster is asked.</summary>
public sealed class SlurmPoll
{
    /// <summary>10s when absent.</summary>
    [DurationText]
    public string? Interval { get; set; }
}

/// <summary>What was seen of a cluster.</summary>
public sealed class SlurmClusterStatus
{
    /// <summary>Generation of the spec that this status answers.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>The last contact worked.</summary>
    public bool? Reachable { get; set; }

    /// <summary>Why, as a sentence.</summary>
    public string? Message { get; set; }

    /// <summary>Version of Slurm.</summary>
    public string? Version { get; set; }

    /// <summary>The partitions.</summary>
    [ListMapKey("name"), MaxLength(512)]
    public List<SlurmPartition>? Partitions { get; set; }

    /// <summary>Last contact that worked.</summary>
    public DateTime? LastSeen { get; set; }

    /// <summary>Ready, Unsupported.</summary>
    [ListMapKey("type")]
    public List<V1Condition>? Conditions { get; set; }
}

/// <summary>One partition.</summary>
public sealed class SlurmPartition
{
    /// <summary>Name.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>Number of nodes.</summary>
    public int? Nodes { get; set; }

    /// <summary>Its GPUs.</summary>
    public SlurmGpus? Gpus { get; set; }

    /// <summary>Longest job, as Slurm writes it.</summary>
    public string? MaxTime { get; set; }

    /// <summary>up, down, drain or inactive.</summary>
    public string? State { get; set; }
}

/// <summary>GPUs of a partition.</summary>
public sealed class SlurmGpus
{
    /// <summary>Type, e.g. h100.</summary>
    public string? Type { get; set; }

    /// <summary>All.</summary>
    public int? Total { get; set; }

    /// <summary>Not in use.</summary>
    public int? Free { get; set; }
}
