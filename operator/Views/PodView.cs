using k8s;
using k8s.Models;

namespace Trestle.Operator.Views;

/// <summary>What the operator reads of a pod; never written back.</summary>
[KubernetesEntity(Group = "", ApiVersion = "v1", Kind = "Pod", PluralName = "pods")]
public sealed class PodView : IKubernetesObject<V1ObjectMeta>
{
    /// <inheritdoc/>
    public string ApiVersion { get; set; } = "v1";

    /// <inheritdoc/>
    public string Kind { get; set; } = "Pod";

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What was asked for.</summary>
    public PodViewSpec Spec { get; set; } = new();

    /// <summary>What became of it.</summary>
    public PodViewStatus? Status { get; set; }
}

/// <summary>What was asked for.</summary>
public sealed class PodViewSpec
{
    /// <summary>Node it is bound to; null when it is not.</summary>
    public string? NodeName { get; set; }

    /// <summary>Labels its node must have.</summary>
    public Dictionary<string, string>? NodeSelector { get; set; }

    /// <summary>What holds it back from being bound.</summary>
    public List<PodSchedulingGateView>? SchedulingGates { get; set; }

    /// <summary>Run one after another before the others; those with restartPolicy Always go on beside them.</summary>
    public List<ContainerView>? InitContainers { get; set; }

    /// <summary>Run side by side.</summary>
    public List<ContainerView>? Containers { get; set; }

    /// <summary>Added to what the containers ask for, as quantities.</summary>
    public Dictionary<string, string>? Overhead { get; set; }
}

/// <summary>What holds a pod back from being bound.</summary>
public sealed class PodSchedulingGateView
{
    /// <summary>E.g. trestle.dev/admission.</summary>
    public string Name { get; set; } = "";
}

/// <summary>A container.</summary>
public sealed class ContainerView
{
    /// <summary>Its name in the pod.</summary>
    public string Name { get; set; } = "";

    /// <summary>Always on an init container that goes on beside the others; else null.</summary>
    public string? RestartPolicy { get; set; }

    /// <summary>What it asks for.</summary>
    public ContainerResourcesView? Resources { get; set; }
}

/// <summary>What a container asks for.</summary>
public sealed class ContainerResourcesView
{
    /// <summary>Quantities by resource.</summary>
    public Dictionary<string, string>? Requests { get; set; }
}

/// <summary>What became of a pod.</summary>
public sealed class PodViewStatus
{
    /// <summary>Pending, Running, Succeeded, Failed or Unknown.</summary>
    public string? Phase { get; set; }

    /// <summary>Why, as one word, e.g. Evicted.</summary>
    public string? Reason { get; set; }

    /// <summary>Why, as a sentence.</summary>
    public string? Message { get; set; }

    /// <summary>Address; null until the node gave one.</summary>
    public string? PodIP { get; set; }

    /// <summary>E.g. DisruptionTarget.</summary>
    public List<PodConditionView>? Conditions { get; set; }

    /// <summary>State of the init containers.</summary>
    public List<ContainerStatusView>? InitContainerStatuses { get; set; }

    /// <summary>State of the containers.</summary>
    public List<ContainerStatusView>? ContainerStatuses { get; set; }
}

/// <summary>A condition of a pod.</summary>
public sealed class PodConditionView
{
    /// <summary>E.g. Ready, PodScheduled, DisruptionTarget.</summary>
    public string Type { get; set; } = "";

    /// <summary>True, False or Unknown.</summary>
    public string Status { get; set; } = "";

    /// <summary>Why, as one word.</summary>
    public string? Reason { get; set; }

    /// <summary>Why, as a sentence.</summary>
    public string? Message { get; set; }
}

/// <summary>State of a container.</summary>
public sealed class ContainerStatusView
{
    /// <summary>Name of the container.</summary>
    public string Name { get; set; } = "";

    /// <summary>It runs and its probe is content.</summary>
    public bool Ready { get; set; }

    /// <summary>What it is doing.</summary>
    public ContainerStateView? State { get; set; }
}

/// <summary>What a container is doing: one of the three.</summary>
public sealed class ContainerStateView
{
    /// <summary>It has not started.</summary>
    public WaitingView? Waiting { get; set; }

    /// <summary>It runs.</summary>
    public RunningView? Running { get; set; }

    /// <summary>It has ended.</summary>
    public TerminatedView? Terminated { get; set; }
}

/// <summary>Why a container has not started.</summary>
public sealed class WaitingView
{
    /// <summary>E.g. ErrImagePull.</summary>
    public string? Reason { get; set; }

    /// <summary>Why, as a sentence.</summary>
    public string? Message { get; set; }
}

/// <summary>Since when a container runs.</summary>
public sealed class RunningView
{
    /// <summary>UTC.</summary>
    public DateTime? StartedAt { get; set; }
}

/// <summary>How a container ended.</summary>
public sealed class TerminatedView
{
    /// <summary>0 is success; 128 + signal when killed.</summary>
    public int ExitCode { get; set; }

    /// <summary>E.g. Error, OOMKilled.</summary>
    public string? Reason { get; set; }

    /// <summary>Termination message, or the last lines of its output.</summary>
    public string? Message { get; set; }

    /// <summary>UTC.</summary>
    public DateTime? FinishedAt { get; set; }
}
