using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>What a mode does for a job now.</summary>
/// <param name="Status">The whole new status of the job, written first; null when it stays.</param>
/// <param name="Changes">Changes of other objects, after that.</param>
internal sealed record ModePlan(TrainingJobStatus? Status, IReadOnlyList<ObjectChange> Changes)
{
    public static ModePlan Nothing { get; } = new(null, []);

    /// <summary>What to tell people when the status was written.</summary>
    public PhaseEvent? Event { get; init; }

    /// <summary>When to look again without a change; null for never.</summary>
    public TimeSpan? RequeueAfter { get; init; }

    public static ModePlan Do(ObjectChange change) => new(null, [change]);

    public static ModePlan Write(TrainingJobStatus? status) => new(status, []);
}
