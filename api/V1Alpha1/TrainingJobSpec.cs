using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>What to run, where and how.</summary>
[ValidationRule(
    "!has(self.elastic) || !has(self.elastic.minNodes) || self.elastic.minNodes <= (has(self.nodes) ? self.nodes : 1)",
    "elastic.minNodes must not be greater than nodes", FieldPath = ".elastic.minNodes")]
public sealed class TrainingJobSpec : IHasWorkdir
{
    /// <summary>Number of nodes, one rank a node.</summary>
    [DefaultValue(1), Range(1, 10000)]
    public int? Nodes { get; set; }

    /// <summary>What each node needs.</summary>
    public Resources? Resources { get; set; }

    /// <summary>Container image; needed on Kubernetes unless the operator has a default.</summary>
    [MaxLength(1024)]
    public string? Image { get; set; }

    /// <summary>Code to start in.</summary>
    public Workdir? Workdir { get; set; }

    /// <summary>Environment variables of setup and run.</summary>
    [MaxLength(512), ListMapKey("name")]
    public List<EnvVar>? Env { get; set; }

    /// <summary>Whole Secrets and ConfigMaps as variables.</summary>
    [MaxLength(64), AtomicList]
    public List<EnvFromSource>? EnvFrom { get; set; }

    /// <summary>Shell script, once per node before run; its failure is reported as SetupFailed.</summary>
    [MaxLength(262144)]
    public string? Setup { get; set; }

    /// <summary>Shell script, on every node.</summary>
    [Required, MinLength(1), MaxLength(262144)]
    public string Run { get; set; } = "";

    /// <summary>Storages at paths.</summary>
    [MaxLength(32), ListMapKey("path")]
    public List<StorageMount>? Mounts { get; set; }

    /// <summary>Places, tried in order; Kubernetes alone when absent.</summary>
    [MinLength(1), MaxLength(16), AtomicList]
    public List<Placement>? Placement { get; set; }

    /// <summary>How long one place may keep the job queued before the next is tried; forever when absent.</summary>
    [DurationText]
    public string? PlacementTimeout { get; set; }

    /// <summary>Queue, priority and placement on nodes.</summary>
    public Scheduling? Scheduling { get; set; }

    /// <summary>What happens when a rank fails.</summary>
    public Recovery? Recovery { get; set; }

    /// <summary>Lets a restart re-form with fewer nodes.</summary>
    public Elastic? Elastic { get; set; }

    /// <summary>Longest run of one attempt, e.g. 24h.</summary>
    [DurationText]
    public string? TimeLimit { get; set; }

    /// <summary>Time between TERM and KILL of the user's processes; 60s when absent.</summary>
    [DurationText]
    public string? TerminationGracePeriod { get; set; }

    /// <summary>Name of the JobGroup this job is attached to; set when launched from inside the group.</summary>
    [MaxLength(253)]
    public string? Group { get; set; }

    /// <summary>True: the job gives its nodes back and waits.</summary>
    public bool? Suspend { get; set; }

    /// <summary>Deletes the object so long after its end; never when absent.</summary>
    [DurationText]
    public string? TtlAfterFinished { get; set; }

    /// <summary>True: a token that may create TrainingJobs in the namespace is mounted.</summary>
    public bool? SubmitsJobs { get; set; }

    /// <summary>Overlay on the pod template: nodeSelector, tolerations, hostNetwork and so on.</summary>
    [PreserveUnknownFields]
    public JsonObject? PodTemplate { get; set; }
}

/// <summary>Code to start in: one of git and configMap.</summary>
[ValidationRule("has(self.git) != has(self.configMap)", "workdir needs exactly one of git and configMap")]
public sealed class Workdir
{
    /// <summary>A git repository.</summary>
    public GitWorkdir? Git { get; set; }

    /// <summary>A ConfigMap whose keys become files.</summary>
    public ConfigMapWorkdir? ConfigMap { get; set; }
}

/// <summary>A git repository as working directory.</summary>
public sealed class GitWorkdir
{
    /// <summary>Address to clone.</summary>
    [Required, MaxLength(2048)]
    [ValidationRule("!self.startsWith('-')", "url must be the address of a git repository, e.g. https://host/team/code.git")]
    public string Url { get; set; } = "";

    /// <summary>Branch, tag or commit; the default branch when absent.</summary>
    [MaxLength(256), RegularExpression("^[^-].*$")]
    public string? Ref { get; set; }

    /// <summary>Directory in the repository to start in.</summary>
    [MaxLength(512)]
    public string? Path { get; set; }

    /// <summary>Secret with ssh-privatekey, or username and password.</summary>
    public NameReference? SecretRef { get; set; }
}

/// <summary>A ConfigMap as working directory.</summary>
public sealed class ConfigMapWorkdir
{
    /// <summary>Name of the ConfigMap.</summary>
    [Required, MaxLength(253)]
    public string Name { get; set; } = "";
}

/// <summary>One place to run: exactly one of kubernetes and slurm.</summary>
[ValidationRule("has(self.kubernetes) != has(self.slurm)", "a placement needs exactly one of kubernetes and slurm")]
public sealed class Placement
{
    /// <summary>On this Kubernetes cluster.</summary>
    public KubernetesPlacement? Kubernetes { get; set; }

    /// <summary>On a Slurm cluster.</summary>
    public SlurmPlacement? Slurm { get; set; }
}

/// <summary>On this Kubernetes cluster.</summary>
public sealed class KubernetesPlacement;

/// <summary>On a Slurm cluster.</summary>
public sealed class SlurmPlacement
{
    /// <summary>Name of a SlurmCluster.</summary>
    [Required, MaxLength(253)]
    public string Cluster { get; set; } = "";

    /// <summary>Partition; the cluster's default when absent.</summary>
    [MaxLength(256)]
    public string? Partition { get; set; }

    /// <summary>Account to charge.</summary>
    [MaxLength(256)]
    public string? Account { get; set; }

    /// <summary>Quality of service.</summary>
    [MaxLength(256)]
    public string? Qos { get; set; }

    /// <summary>More sbatch options, e.g. --constraint=h100.</summary>
    [MaxLength(64), AtomicList]
    public List<string>? Options { get; set; }
}

/// <summary>Who holds the job back until all of it fits.</summary>
public enum SchedulingMode
{
    /// <summary>Kueue when the queue is a Kueue LocalQueue, else the operator.</summary>
    Auto,

    /// <summary>The operator's own admission.</summary>
    Operator,

    /// <summary>Kueue.</summary>
    Kueue,

    /// <summary>Gang scheduling of Kubernetes itself.</summary>
    Native,

    /// <summary>Volcano.</summary>
    Volcano,

    /// <summary>The coscheduling plugin.</summary>
    Coscheduling,
}

/// <summary>Queue, priority and placement on nodes.</summary>
public sealed class Scheduling
{
    /// <summary>Auto when absent.</summary>
    public SchedulingMode? Mode { get; set; }

    /// <summary>Kueue LocalQueue, Volcano queue, or the name of a Queue of this group; the Queue called default when absent, if there is one.</summary>
    [MaxLength(253)]
    public string? Queue { get; set; }

    /// <summary>Higher goes first; 0 when absent.</summary>
    [Range(-1000, 1000)]
    public int? Priority { get; set; }

    /// <summary>True: jobs of higher priority may take its nodes, and so may the owner of a quota that it borrows. False when absent: nobody loses work without having agreed.</summary>
    public bool? Preemptible { get; set; }

    /// <summary>Not preempted before an attempt ran so long; 0s when absent.</summary>
    [DurationText]
    public string? MinRuntime { get; set; }

    /// <summary>Keeps the nodes close together.</summary>
    public Topology? Topology { get; set; }
}

/// <summary>How strictly a topology is kept.</summary>
public enum TopologyMode
{
    /// <summary>All nodes in one domain or none.</summary>
    Required,

    /// <summary>One domain where possible.</summary>
    Preferred,
}

/// <summary>Keeps the nodes of a job in one domain.</summary>
public sealed class Topology
{
    /// <summary>Node label that names the domain; nodes without it are in none.</summary>
    [Required, MaxLength(317)]
    public string Key { get; set; } = "";

    /// <summary>Required when absent.</summary>
    public TopologyMode? Mode { get; set; }
}

/// <summary>What happens when a rank fails.</summary>
public sealed class Recovery
{
    /// <summary>Restarts after failures of the user's code; 0 when absent. Infrastructure and preemption never count.</summary>
    [Range(0, 10000)]
    public int? MaxRestarts { get; set; }

    /// <summary>Exit codes that restart without counting.</summary>
    [MaxLength(64), AtomicList, Range(1, 255)]
    public List<int>? RecoverOnExitCodes { get; set; }

    /// <summary>Exit codes that never restart.</summary>
    [MaxLength(64), AtomicList, Range(1, 255)]
    public List<int>? FailOnExitCodes { get; set; }

    /// <summary>Wait before a restart.</summary>
    public Backoff? Backoff { get; set; }

    /// <summary>No sign of life of a rank for so long is a failure "Hung"; never when absent. Best set before the job starts.</summary>
    [DurationText]
    public string? HangTimeout { get; set; }

    /// <summary>On Slurm: true starts the job again after its time limit, when it left a checkpoint in that time; this never counts.</summary>
    public bool? ResumeAtTimeLimit { get; set; }
}

/// <summary>Wait before a restart: doubles from initial up to max.</summary>
public sealed class Backoff
{
    /// <summary>10s when absent.</summary>
    [DurationText]
    public string? Initial { get; set; }

    /// <summary>5m when absent.</summary>
    [DurationText]
    public string? Max { get; set; }
}

/// <summary>Lets a restart re-form with fewer nodes.</summary>
public sealed class Elastic
{
    /// <summary>Fewest nodes to run with.</summary>
    [Required, Range(1, 10000)]
    public int? MinNodes { get; set; }
}
