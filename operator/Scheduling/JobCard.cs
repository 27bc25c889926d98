using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>What passes read of one version of a job; read once, since passes come more often than changes.</summary>
/// <param name="job">The job as it is in this version.</param>
/// <param name="shapeOf">Shape of a job; null when it has none yet.</param>
internal sealed class JobCard(TrainingJob job, Func<TrainingJob, Shape?> shapeOf)
{
    private Gang? _alone;

    /// <summary>The job.</summary>
    public TrainingJob Job { get; } = job;

    /// <summary>Whether it waits for nodes from us.</summary>
    public bool Waits { get; } = GangQueue.Waits(job);

    /// <summary>Whether it has nodes, keeps some for a restart, or gives them back.</summary>
    public bool Holds { get; } = job.Status is { } status && (status.HasAttempt() || status.Phase is TrainingJobPhase.Restarting or TrainingJobPhase.Preempting);

    /// <summary>Uid of the group that it is a task of; null for none.</summary>
    public string? GroupUid { get; } = job.ControllerOwner() is { Kind: JobGroup.KubeKind } owner ? owner.Uid : null;

    /// <summary>Whether it may have to wait for a time (<see cref="Retries.HoldsOff"/>).</summary>
    public bool IsTimed { get; } = Retries.NotBefore(job) is not null;

    /// <summary>Name of its queue as the job says; null for the default.</summary>
    public string? Queue { get; } = job.Spec.Scheduling?.Queue;

    /// <summary>Its shape; asked for again while there is none, as what is missing may come.</summary>
    public Shape? Shape => shapeOf(Job);

    /// <summary>Number of the last pass that saw it.</summary>
    public int Seen { get; set; } = -1;

    /// <summary>The job as a gang of its own; null while it has no shape.</summary>
    public Gang? Alone() => _alone ??= Shape is { } shape ? GangQueue.Alone(Job, shape) : null;
}
