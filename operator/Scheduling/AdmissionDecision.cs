using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>How a pass decides.</summary>
public sealed record AdmissionOptions
{
    /// <summary>Who waited so long has nodes reserved, and who keeps nodes for a restart that long gives them up.</summary>
    public TimeSpan StarvationTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Nodes that the last pass promised, by uid of the job; <see cref="AdmissionDecision.Promised"/> of the last decision.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<RankAssignment>> Promised { get; init; } = new Dictionary<string, IReadOnlyList<RankAssignment>>();

    /// <summary>The pod of any rank of a job, as it would be created; <see cref="ArgumentException"/> when it can't be. That of <see cref="Launch.LaunchObjects"/> when null.</summary>
    public Func<TrainingJob, V1Pod>? PodOf { get; init; }
}

/// <summary>What a pass decided.</summary>
/// <param name="Admitted">Jobs that get nodes now.</param>
/// <param name="Preempted">Jobs that give their nodes back; who gets them starts when their pods have ended.</param>
/// <param name="Waiting">Jobs that go on waiting, in the order of the queue; those that are held are at the end.</param>
public sealed record AdmissionDecision(IReadOnlyList<PlannedAdmission> Admitted, IReadOnlyList<PlannedPreemption> Preempted, IReadOnlyList<PlannedWait> Waiting)
{
    /// <summary>Nodes that are held for jobs that wait until they are free, by uid of the job.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<RankAssignment>> Promised { get; init; } = new Dictionary<string, IReadOnlyList<RankAssignment>>();
}

/// <summary>A job that gets nodes.</summary>
/// <param name="Job">The job.</param>
/// <param name="Nodes">Node of every rank, in rank order.</param>
public sealed record PlannedAdmission(TrainingJob Job, IReadOnlyList<string> Nodes);

/// <summary>A job that gives its nodes back.</summary>
/// <param name="Job">The job.</param>
/// <param name="For">Who gets them (of a group its first task); null when nobody does yet.</param>
/// <param name="IsRestart">It does not run: it only gives up what was kept for its restart.</param>
/// <param name="Message">Why, as a sentence.</param>
public sealed record PlannedPreemption(TrainingJob Job, ObjectKey? For, bool IsRestart, string Message);

/// <summary>A job that waits.</summary>
/// <param name="Job">The job.</param>
/// <param name="Position">1 is next, jobs of a group share one; null while its group or its queue holds it.</param>
/// <param name="Reason">What it waits for, as a sentence.</param>
public sealed record PlannedWait(TrainingJob Job, int? Position, string Reason);
