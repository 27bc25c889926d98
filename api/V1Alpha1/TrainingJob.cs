using System.ComponentModel.DataAnnotations;
using k8s;
using k8s.Models;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>A script on one or more nodes that start together and end together.</summary>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = KubeKind, PluralName = KubePlural)]
[ShortName("tj")]
[AdditionalPrinterColumn(".status.phase", "Phase", "string", Description = "What it is doing")]
[AdditionalPrinterColumn(".status.nodes.ready", "Ready", "integer", Description = "Nodes that run")]
[AdditionalPrinterColumn(".spec.nodes", "Nodes", "integer", Description = "Nodes asked for")]
[AdditionalPrinterColumn(".spec.resources.accelerators", "Accelerators", "string", Description = "Per node")]
[AdditionalPrinterColumn(".status.message", "Why", "string", Description = "Why it is doing that")]
[AdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[AdditionalPrinterColumn(".status.reason", "Reason", "string", Priority = 1)]
[AdditionalPrinterColumn(".status.queue.position", "Position", "integer", Priority = 1)]
[AdditionalPrinterColumn(".status.attempt", "Attempt", "integer", Priority = 1)]
[AdditionalPrinterColumn(".status.restarts.counted", "Restarts", "integer", Priority = 1)]
[AdditionalPrinterColumn(".spec.group", "Group", "string", Priority = 1)]
[AdditionalPrinterColumn(".status.exit.code", "Exit", "integer", Priority = 1)]
[ValidationRule(
    "self.metadata.name.size() <= 52 && self.metadata.name.matches('^[a-z][-a-z0-9]*$')",
    "metadata.name must start with a letter, hold lower-case letters, digits and '-' alone, and have at most 52 characters, because hosts are named after it")]
[EntityRbac(ApiGroup.Name, "trainingjobs", "get,list,watch,create,patch,delete")]
[EntityRbac(ApiGroup.Name, "trainingjobs/status,trainingjobs/finalizers", "update")]
public sealed class TrainingJob : IKubernetesObject<V1ObjectMeta>, ISpec<TrainingJobSpec>, IStatus<TrainingJobStatus?>
{
    /// <summary>The kind.</summary>
    public const string KubeKind = "TrainingJob";

    /// <summary>The resource.</summary>
    public const string KubePlural = "trainingjobs";

    /// <inheritdoc/>
    public string ApiVersion { get; set; } = ApiGroup.ApiVersion;

    /// <inheritdoc/>
    public string Kind { get; set; } = KubeKind;

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What to run. Only suspend, scheduling.priority, recovery and ttlAfterFinished may change after creation.</summary>
    [Required]
    [Immutable("suspend", "scheduling.priority", "recovery", "ttlAfterFinished", Noun = "the job")]
    public TrainingJobSpec Spec { get; set; } = new();

    /// <summary>What became of it; written by the operator.</summary>
    public TrainingJobStatus? Status { get; set; }
}
