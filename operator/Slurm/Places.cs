using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Slurm;

/// <summary>spec.placement: which place a job waits at, and when it tries the next. Pure.</summary>
internal static class Places
{
    private static readonly Placement Here = new() { Kubernetes = new KubernetesPlacement() };

    /// <summary>The places in order; this cluster when the job names none.</summary>
    public static IReadOnlyList<Placement> Of(TrainingJobSpec spec) => spec.Placement is { Count: > 0 } places ? places : [Here];

    /// <summary>The place that the status names.</summary>
    public static Placement Now(TrainingJob job, TrainingJobStatus status) => Of(job.Spec)[Math.Clamp(status.Placement?.Index ?? 0, 0, Of(job.Spec).Count - 1)];

    /// <summary>The first place, when the job names any.</summary>
    public static void Begin(Draft draft)
    {
        if (draft.Job.Spec.Placement is { Count: > 0 }) Take(draft, 0);
    }

    /// <summary>Takes the next place when this one kept the job waiting too long; after the last comes the first again.</summary>
    /// <returns>Whether it did.</returns>
    public static bool MoveOn(Draft draft)
    {
        var places = Of(draft.Job.Spec);
        if (places.Count < 2 || draft.Job.Spec.PlacementTimeout is not { } text || draft.Status.Placement is not { Since: { } since } now) return false;
        var left = new DateTimeOffset(since) + Duration.Parse(text) - draft.Now;
        if (left > TimeSpan.Zero)
        {
            draft.LookAgain(left);
            return false;
        }

        var before = Name(places[Math.Min(now.Index ?? 0, places.Count - 1)]);
        Take(draft, ((now.Index ?? 0) + 1) % places.Count);
        draft.Status.Admission = null;
        draft.Become(TrainingJobPhase.Queued, "NextPlacement", $"waited {text} on {before}; trying {Name(Now(draft.Job, draft.Status))}");
        return true;
    }

    /// <summary>As people know it: kubernetes, or slurm/CLUSTER.</summary>
    public static string Name(Placement place) => place.Slurm is { } slurm ? $"slurm/{slurm.Cluster}" : "kubernetes";

    private static void Take(Draft draft, int index)
    {
        var place = Of(draft.Job.Spec)[index];
        draft.Status.Placement = new PlacementStatus
        {
            Index = index,
            Since = draft.Now.UtcDateTime,
            Kubernetes = place.Slurm is null ? new KubernetesPlacement() : null,
            Slurm = place.Slurm is { } slurm ? new SlurmPlacementStatus { Cluster = slurm.Cluster } : null,
        };
    }
}
