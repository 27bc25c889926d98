using System.ComponentModel.DataAnnotations;
using k8s;
using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>Jobs and services that run side by side, e.g. a trainer with an evaluator.</summary>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = KubeKind, PluralName = KubePlural)]
[ShortName("jg")]
[AdditionalPrinterColumn(".status.phase", "Phase", "string", Description = "What it is doing")]
[AdditionalPrinterColumn(".status.summary", "Tasks", "string", Description = "Tasks that run, of all")]
[AdditionalPrinterColumn(".status.message", "Why", "string", Description = "Why it is doing that")]
[AdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[AdditionalPrinterColumn(".status.reason", "Reason", "string", Priority = 1)]
[ValidationRule(
    "self.metadata.name.matches('^[a-z][-a-z0-9]*$')",
    "metadata.name must start with a letter and hold lower-case letters, digits and '-' alone, because hosts are named after it")]
[ValidationRule(
    "self.spec.tasks.all(task, self.metadata.name.size() + task.name.size() <= 51)",
    "the names of the group and of a task may have at most 51 characters together, because hosts are named after them; shorten one")]
[EntityRbac(ApiGroup.Name, "jobgroups", "list,watch,patch")]
[EntityRbac(ApiGroup.Name, "jobgroups/status,jobgroups/finalizers", "update")]
public sealed class JobGroup : IKubernetesObject<V1ObjectMeta>, ISpec<JobGroupSpec>, IStatus<JobGroupStatus?>
{
    /// <summary>The kind.</summary>
    public const string KubeKind = "JobGroup";

    /// <summary>The resource.</summary>
    public const string KubePlural = "jobgroups";

    /// <inheritdoc/>
    public string ApiVersion { get; set; } = ApiGroup.ApiVersion;

    /// <inheritdoc/>
    public string Kind { get; set; } = KubeKind;

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What to run. Only terminationDelay may change after creation.</summary>
    [Required]
    [Immutable("terminationDelay", Noun = "the group")]
    public JobGroupSpec Spec { get; set; } = new();

    /// <summary>What became of it; written by the operator.</summary>
    public JobGroupStatus? Status { get; set; }
}

/// <summary>How the tasks of a group start.</summary>
public enum GangPolicy
{
    /// <summary>All tasks or none.</summary>
    AllOrNothing,

    /// <summary>Every task by itself.</summary>
    PerTask,
}

/// <summary>What to run side by side.</summary>
public sealed class JobGroupSpec
{
    /// <summary>The tasks. Without a Primary, all jobs are primary; a service never is.</summary>
    [Required, MinLength(1), MaxLength(32), ListMapKey("name")]
    [ValidationRule("self.size() == 0 || self.exists(task, !has(task.service))", "a group needs a task with a job: services never end by themselves, so nothing would end the group")]
    public List<JobGroupTask> Tasks { get; set; } = [];

    /// <summary>How long auxiliaries go on after all primaries succeeded: a duration, or durations by task with "default". 0s when absent.</summary>
    [PreserveUnknownFields(AnyType = true)]
    public TerminationDelay? TerminationDelay { get; set; }

    /// <summary>AllOrNothing when absent.</summary>
    public GangPolicy? Gang { get; set; }
}

/// <summary>What a task means for the group.</summary>
public enum TaskRole
{
    /// <summary>The group ends when all primaries have ended.</summary>
    Primary,

    /// <summary>Ended with the group; its failure does not end the group.</summary>
    Auxiliary,
}

/// <summary>One task: exactly one of job and service.</summary>
[ValidationRule("has(self.job) != has(self.service)", "a task needs exactly one of job and service")]
[ValidationRule("!has(self.service) || !has(self.role) || self.role != 'Primary'", "a service can't be Primary, as it never ends by itself; make it Auxiliary or leave role out", FieldPath = ".role")]
[ValidationRule("!has(self.onCheckpoint) || has(self.job)", "onCheckpoint needs a job to start; a service can't be started per checkpoint")]
public sealed class JobGroupTask
{
    /// <summary>Name; hosts are called NAME-RANK.GROUP.</summary>
    [Required, MaxLength(50), RegularExpression("^[a-z]([-a-z0-9]*[a-z0-9])?$")]
    public string Name { get; set; } = "";

    /// <summary>Primary when no task of the group has a role.</summary>
    public TaskRole? Role { get; set; }

    /// <summary>A job.</summary>
    public TrainingJobSpec? Job { get; set; }

    /// <summary>A service.</summary>
    public InferenceServiceSpec? Service { get; set; }

    /// <summary>Starts the job once for every new durable checkpoint.</summary>
    public OnCheckpoint? OnCheckpoint { get; set; }
}

/// <summary>Starts a job once for every new durable checkpoint.</summary>
public sealed class OnCheckpoint
{
    /// <summary>The Storage to look at.</summary>
    [Required, MaxLength(253)]
    public string Storage { get; set; } = "";

    /// <summary>Pattern of checkpoint names, e.g. step-*; all when absent.</summary>
    [MaxLength(256)]
    public string? Match { get; set; }

    /// <summary>Jobs at a time; 1 when absent.</summary>
    [Range(1, 1000)]
    public int? Concurrency { get; set; }

    /// <summary>Ended jobs kept; 10 when absent.</summary>
    [Range(0, 1000)]
    public int? Keep { get; set; }
}

/// <summary>What a group is doing.</summary>
public enum JobGroupPhase
{
    /// <summary>Tasks are not all running yet.</summary>
    Pending,

    /// <summary>Every task runs or has run.</summary>
    Running,

    /// <summary>Primaries have ended; the others are being ended.</summary>
    Terminating,

    /// <summary>All primaries succeeded.</summary>
    Succeeded,

    /// <summary>A primary failed.</summary>
    Failed,

    /// <summary>Ended by a person.</summary>
    Cancelled,
}

/// <summary>What became of a group.</summary>
public sealed class JobGroupStatus
{
    /// <summary>Generation of the spec that this status answers.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>What it is doing.</summary>
    public JobGroupPhase? Phase { get; set; }

    /// <summary>Why, as one CamelCase word.</summary>
    public string? Reason { get; set; }

    /// <summary>Why, as a sentence.</summary>
    public string? Message { get; set; }

    /// <summary>Tasks that run, of all, e.g. 2/3.</summary>
    public string? Summary { get; set; }

    /// <summary>The tasks.</summary>
    [ListMapKey("name"), MaxLength(32)]
    public List<JobGroupTaskStatus>? Tasks { get; set; }

    /// <summary>Jobs attached at run time, the newest 256.</summary>
    [ListMapKey("name"), MaxLength(256)]
    public List<LaunchedJobStatus>? Launched { get; set; }

    /// <summary>When all primaries had ended; delays count from here.</summary>
    public DateTime? PrimariesEndedAt { get; set; }

    /// <summary>When the first task started.</summary>
    public DateTime? StartedAt { get; set; }

    /// <summary>When the group ended.</summary>
    public DateTime? FinishedAt { get; set; }

    /// <summary>Admitted, Progressing, Complete, Failed, Unsupported.</summary>
    [ListMapKey("type")]
    public List<V1Condition>? Conditions { get; set; }
}

/// <summary>One task.</summary>
public sealed class JobGroupTaskStatus
{
    /// <summary>Name of the task.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>What it means for the group.</summary>
    public TaskRole? Role { get; set; }

    /// <summary>TrainingJob or InferenceService.</summary>
    public string? Kind { get; set; }

    /// <summary>Name of the object.</summary>
    public string? Ref { get; set; }

    /// <summary>Phase of the object.</summary>
    public string? Phase { get; set; }

    /// <summary>Restarts of all causes.</summary>
    public int? Restarts { get; set; }

    /// <summary>Why, as a sentence.</summary>
    public string? Message { get; set; }
}

/// <summary>A job attached at run time.</summary>
public sealed class LaunchedJobStatus
{
    /// <summary>Name of the TrainingJob.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>Task that launched it, when known.</summary>
    public string? Task { get; set; }

    /// <summary>Phase of the job.</summary>
    public string? Phase { get; set; }

    /// <summary>When it was created.</summary>
    public DateTime? SubmittedAt { get; set; }
}
