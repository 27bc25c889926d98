using System.ComponentModel.DataAnnotations;
using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>What a job is doing.</summary>
public enum TrainingJobPhase
{
    /// <summary>Seen, not judged yet, or something it needs is missing.</summary>
    Pending,

    /// <summary>Waits for nodes.</summary>
    Queued,

    /// <summary>Nodes are reserved.</summary>
    Admitted,

    /// <summary>Ranks are being started.</summary>
    Starting,

    /// <summary>All ranks run.</summary>
    Running,

    /// <summary>A rank failed; the next attempt is on its way.</summary>
    Restarting,

    /// <summary>Gives its nodes to a more important job.</summary>
    Preempting,

    /// <summary>Asked to wait.</summary>
    Suspended,

    /// <summary>Ended well.</summary>
    Succeeded,

    /// <summary>Ended badly.</summary>
    Failed,

    /// <summary>Ended by a person or its group.</summary>
    Cancelled,
}

/// <summary>What became of a job.</summary>
public sealed class TrainingJobStatus
{
    /// <summary>Generation of the spec that this status answers.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>What it is doing.</summary>
    public TrainingJobPhase? Phase { get; set; }

    /// <summary>Why, as one CamelCase word.</summary>
    public string? Reason { get; set; }

    /// <summary>Why, as a sentence.</summary>
    public string? Message { get; set; }

    /// <summary>Where it runs.</summary>
    public PlacementStatus? Placement { get; set; }

    /// <summary>Number of the newest execution; grows with every execution, never reused.</summary>
    public int? Attempt { get; set; }

    /// <summary>Who admits it; decided when it is first queued.</summary>
    public SchedulingMode? SchedulingMode { get; set; }

    /// <summary>Nodes reserved for an attempt; written before its pods are created. While it restarts, what it keeps of the last attempt.</summary>
    public AdmissionStatus? Admission { get; set; }

    /// <summary>Restarts so far, by cause.</summary>
    public RestartCounts? Restarts { get; set; }

    /// <summary>When the next attempt may start and which nodes it avoids.</summary>
    public RetryStatus? Retry { get; set; }

    /// <summary>The ranks.</summary>
    public NodesStatus? Nodes { get; set; }

    /// <summary>Place in the queue.</summary>
    public QueueStatus? Queue { get; set; }

    /// <summary>Checkpoints known.</summary>
    public CheckpointStatus? Checkpoint { get; set; }

    /// <summary>When what happened.</summary>
    public TrainingJobTimeline? Timeline { get; set; }

    /// <summary>The first failed rank of the last failed attempt.</summary>
    public TrainingJobExit? Exit { get; set; }

    /// <summary>Admitted, PodsReady, Progressing, Restarting, Suspended, Disrupted, Durable, Complete, Failed, Unsupported.</summary>
    [ListMapKey("type")]
    public List<V1Condition>? Conditions { get; set; }
}

/// <summary>Where a job runs.</summary>
public sealed class PlacementStatus
{
    /// <summary>Which of spec.placement it is, from 0; absent when the job names none.</summary>
    public int? Index { get; set; }

    /// <summary>Since when it is tried.</summary>
    public DateTime? Since { get; set; }

    /// <summary>On this Kubernetes cluster.</summary>
    public KubernetesPlacement? Kubernetes { get; set; }

    /// <summary>On a Slurm cluster.</summary>
    public SlurmPlacementStatus? Slurm { get; set; }
}

/// <summary>Where on Slurm a job runs.</summary>
public sealed class SlurmPlacementStatus
{
    /// <summary>Name of the SlurmCluster.</summary>
    public string? Cluster { get; set; }

    /// <summary>Slurm's job id.</summary>
    public string? JobId { get; set; }
}

/// <summary>Nodes reserved for an attempt.</summary>
public sealed class AdmissionStatus
{
    /// <summary>The attempt.</summary>
    public int Attempt { get; set; }

    /// <summary>Ranks of the attempt; spec.nodes when absent.</summary>
    public int? Size { get; set; }

    /// <summary>Node of every rank; absent when another scheduler chooses the nodes.</summary>
    [AtomicList]
    public List<RankAssignment>? Ranks { get; set; }
}

/// <summary>Node of one rank.</summary>
public sealed class RankAssignment
{
    /// <summary>0..n-1.</summary>
    public int Rank { get; set; }

    /// <summary>Name of the node.</summary>
    [Required]
    public string Node { get; set; } = "";
}

/// <summary>Restarts by cause.</summary>
public sealed class RestartCounts
{
    /// <summary>Failures of the user's code since the last progress, against recovery.maxRestarts.</summary>
    public int? Counted { get; set; }

    /// <summary>Nodes lost and the like.</summary>
    public int? Infrastructure { get; set; }

    /// <summary>Preempted by a more important job.</summary>
    public int? Preempted { get; set; }

    /// <summary>Exit codes of recovery.recoverOnExitCodes.</summary>
    public int? Recovered { get; set; }
}

/// <summary>When the next attempt may start and where it should not.</summary>
public sealed class RetryStatus
{
    /// <summary>Not before.</summary>
    public DateTime? NotBefore { get; set; }

    /// <summary>Why there is another attempt, as one CamelCase word.</summary>
    public string? Reason { get; set; }

    /// <summary>Nodes that failed this job, with how often; the newest failure stands last.</summary>
    [ListMapKey("node"), MaxLength(64)]
    public List<NodeFailures>? Nodes { get; set; }

    /// <summary>Attempts in a row that found no place to start; decides how long the next one waits.</summary>
    public int? Requeues { get; set; }

    /// <summary>Failures of the user's code in a row before all ranks had run for a minute.</summary>
    public int? FailedAtStart { get; set; }

    /// <summary>Fewest nodes that the next attempt of an elastic job takes; set when the pods of the last one have ended.</summary>
    public int? MinNodes { get; set; }

    /// <summary>The newest durable checkpoint when the last attempt failed; a newer one is progress.</summary>
    public DateTime? CheckpointAt { get; set; }
}

/// <summary>How often a node failed a job.</summary>
public sealed class NodeFailures
{
    /// <summary>Name of the node.</summary>
    [Required]
    public string Node { get; set; } = "";

    /// <summary>Failures.</summary>
    public int Failures { get; set; }
}

/// <summary>The ranks of the newest attempt.</summary>
public sealed class NodesStatus
{
    /// <summary>How many there should be.</summary>
    public int? Desired { get; set; }

    /// <summary>How many run.</summary>
    public int? Ready { get; set; }

    /// <summary>The first 256 ranks.</summary>
    [AtomicList, MaxLength(256)]
    public List<RankStatus>? Ranks { get; set; }
}

/// <summary>What one rank is doing.</summary>
public enum RankState
{
    /// <summary>Not started.</summary>
    Pending,

    /// <summary>Container or setup is starting.</summary>
    Starting,

    /// <summary>Runs.</summary>
    Running,

    /// <summary>Was told to end.</summary>
    Terminating,

    /// <summary>Ended with exit code 0.</summary>
    Succeeded,

    /// <summary>Ended with another exit code.</summary>
    Failed,

    /// <summary>Its node was lost or it was evicted.</summary>
    Lost,
}

/// <summary>One rank.</summary>
public sealed class RankStatus
{
    /// <summary>0..n-1.</summary>
    public int Rank { get; set; }

    /// <summary>Name of the pod, or of the Slurm step.</summary>
    public string? Name { get; set; }

    /// <summary>Node it is on.</summary>
    public string? Node { get; set; }

    /// <summary>Address.</summary>
    public string? Ip { get; set; }

    /// <summary>What it is doing.</summary>
    public RankState? State { get; set; }

    /// <summary>Exit code, when it has ended.</summary>
    public int? ExitCode { get; set; }
}

/// <summary>Place in the queue.</summary>
public sealed class QueueStatus
{
    /// <summary>1 is next.</summary>
    public int? Position { get; set; }

    /// <summary>What it waits for, e.g. "waiting for 16 H100, 8 free".</summary>
    public string? Reason { get; set; }

    /// <summary>Since when.</summary>
    public DateTime? QueuedAt { get; set; }
}

/// <summary>Checkpoints known.</summary>
public sealed class CheckpointStatus
{
    /// <summary>Name of the newest durable one.</summary>
    public string? Latest { get; set; }

    /// <summary>Since when it is durable.</summary>
    public DateTime? DurableAt { get; set; }

    /// <summary>Written and not yet durable.</summary>
    public long? PendingBytes { get; set; }
}

/// <summary>When what happened; the first time each, but finishedAt.</summary>
public sealed class TrainingJobTimeline
{
    /// <summary>Entered the queue.</summary>
    public DateTime? QueuedAt { get; set; }

    /// <summary>Nodes were reserved.</summary>
    public DateTime? AdmittedAt { get; set; }

    /// <summary>All ranks ran.</summary>
    public DateTime? StartedAt { get; set; }

    /// <summary>Ended.</summary>
    public DateTime? FinishedAt { get; set; }
}

/// <summary>Which script a rank failed in.</summary>
public enum ExitStage
{
    /// <summary>spec.setup.</summary>
    Setup,

    /// <summary>spec.run.</summary>
    Run,

    /// <summary>Before the user's code: image, mounts, rendezvous.</summary>
    Start,
}

/// <summary>How a rank ended.</summary>
public sealed class TrainingJobExit
{
    /// <summary>The rank.</summary>
    public int? Rank { get; set; }

    /// <summary>Exit code; 128 + signal when killed.</summary>
    public int? Code { get; set; }

    /// <summary>In which script.</summary>
    public ExitStage? Stage { get; set; }

    /// <summary>Last lines of its output.</summary>
    [MaxLength(4096)]
    public string? Message { get; set; }
}
