using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>A share of the cluster for the jobs that name it in scheduling.queue; set up by an administrator.</summary>
/// <remarks>
/// A job uses what all its ranks ask for, from its admission until its pods have ended. Within its quota a queue is held back by
/// nodes alone. Beyond it, it may borrow what all queues together leave unused, after everybody who stays within a quota had a
/// turn, and what it borrowed is taken back from its preemptible jobs when an owner needs it. Jobs that name no queue use the one
/// called default; when there is none, no quota holds for them.
/// </remarks>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = KubeKind, PluralName = KubePlural)]
[EntityScope(EntityScope.Cluster)]
[ShortName("tq")]
[AdditionalPrinterColumn(".status.summary", "Used", "string", Description = "What its jobs use, of its quota")]
[AdditionalPrinterColumn(".status.running", "Running", "integer", Description = "Jobs that have nodes")]
[AdditionalPrinterColumn(".status.pending", "Pending", "integer", Description = "Jobs that wait for nodes")]
[AdditionalPrinterColumn(".spec.borrowing", "Borrowing", "boolean", Description = "Whether it may use what others leave unused")]
[AdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[AdditionalPrinterColumn(".spec.weight", "Weight", "integer", Priority = 1)]
[EntityRbac(ApiGroup.Name, "queues", "get,list,watch")]
[EntityRbac(ApiGroup.Name, "queues/status", "get,update,patch")]
[SuppressMessage("Naming", "CA1711", Justification = "The name of the kind, which is a queue")]
public sealed class Queue : IKubernetesObject<V1ObjectMeta>, ISpec<QueueSpec>, IStatus<QueueUsage?>
{
    /// <summary>The kind.</summary>
    public const string KubeKind = "Queue";

    /// <summary>The resource.</summary>
    public const string KubePlural = "queues";

    /// <summary>The queue of jobs that name none.</summary>
    public const string DefaultName = "default";

    /// <inheritdoc/>
    public string ApiVersion { get; set; } = ApiGroup.ApiVersion;

    /// <inheritdoc/>
    public string Kind { get; set; } = KubeKind;

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>How much its jobs may use.</summary>
    [Required]
    public QueueSpec Spec { get; set; } = new();

    /// <summary>What its jobs use; written by the operator.</summary>
    public QueueUsage? Status { get; set; }
}

/// <summary>How much the jobs of a queue may use.</summary>
[ValidationRule("!has(self.borrowingLimit) || (has(self.borrowing) && self.borrowing)", "borrowingLimit needs borrowing: true; set it, or remove the limit")]
public sealed class QueueSpec
{
    /// <summary>Most that its jobs use together: resources as pods ask for them (nvidia.com/gpu, cpu, memory), or accelerators of one type (H100). What is not named is not limited.</summary>
    [QuantityText, MaxLength(32)]
    [JsonConverter(typeof(ScalarTextMapConverter))]
    public Dictionary<string, string>? Quota { get; set; }

    /// <summary>True: its jobs may go beyond the quota while the quotas of all queues together are not used up. Preemptible jobs that do are ended when an owner needs its quota.</summary>
    public bool? Borrowing { get; set; }

    /// <summary>Most that is borrowed, by the names of the quota; what is not named is not limited.</summary>
    [QuantityText, MaxLength(32)]
    [JsonConverter(typeof(ScalarTextMapConverter))]
    public Dictionary<string, string>? BorrowingLimit { get; set; }

    /// <summary>Between jobs of one priority, a queue of weight 2 gets twice as much of its quota as one of weight 1; 1 when absent.</summary>
    [Range(1, 1000)]
    public int? Weight { get; set; }

    /// <summary>Namespaces whose jobs may use it; all when absent or empty.</summary>
    [MaxLength(1024), AtomicList]
    public List<string>? Namespaces { get; set; }
}

/// <summary>What the jobs of a queue use.</summary>
public sealed class QueueUsage
{
    /// <summary>Generation of the spec that this status answers.</summary>
    public long? ObservedGeneration { get; set; }

    /// <summary>What jobs with nodes use, by the names of the quota.</summary>
    [JsonConverter(typeof(ScalarTextMapConverter))]
    public Dictionary<string, string>? Used { get; set; }

    /// <summary>What of that is beyond the quota.</summary>
    [JsonConverter(typeof(ScalarTextMapConverter))]
    public Dictionary<string, string>? Borrowed { get; set; }

    /// <summary>Jobs that have nodes.</summary>
    public int? Running { get; set; }

    /// <summary>Jobs that wait for nodes.</summary>
    public int? Pending { get; set; }

    /// <summary>What is used, of the quota, e.g. "48/64 GPUs".</summary>
    public string? Summary { get; set; }

    /// <summary>Borrowing.</summary>
    [ListMapKey("type")]
    public List<V1Condition>? Conditions { get; set; }
}
