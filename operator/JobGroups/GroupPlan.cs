using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.JobGroups;

/// <summary>All that a plan for one group is made from.</summary>
/// <param name="Group">The group.</param>
/// <param name="Jobs">Jobs of the namespace that are its tasks, carry its name, or are called like one of its tasks.</param>
public sealed record ObservedGroup(JobGroup Group, IReadOnlyList<TrainingJob> Jobs)
{
    /// <summary>Services of the namespace that are called like one of its tasks.</summary>
    public IReadOnlyList<InferenceService> Services { get; init; } = [];
}

/// <summary>What is to be done for a group, in this order: finalizer, creation, status, cancellation and deletion, release.</summary>
public sealed record GroupPlan
{
    /// <summary>The status as it should be; null: leave it.</summary>
    public JobGroupStatus? Status { get; init; }

    /// <summary>True: put the finalizer on before anything else.</summary>
    public bool AddFinalizer { get; init; }

    /// <summary>True: nothing of it is left that garbage collection does not find.</summary>
    public bool RemoveFinalizer { get; init; }

    /// <summary>Tasks to create a TrainingJob or an InferenceService for; the Service comes first.</summary>
    public IReadOnlyList<JobGroupTask> Create { get; init; } = [];

    /// <summary>Jobs to put the cancel annotation on.</summary>
    public IReadOnlyList<TrainingJob> Cancel { get; init; } = [];

    /// <summary>Services to delete: they have nothing to keep.</summary>
    public IReadOnlyList<InferenceService> EndServices { get; init; } = [];

    /// <summary>Launched jobs to delete.</summary>
    public IReadOnlyList<TrainingJob> Delete { get; init; } = [];

    /// <summary>When to look again without a change; null for never.</summary>
    public TimeSpan? RequeueAfter { get; init; }
}
