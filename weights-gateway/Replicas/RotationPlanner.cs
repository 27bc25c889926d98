namespace Trestle.WeightsGateway.Replicas;

/// <summary>What follows for a replica.</summary>
/// <param name="State">What it is doing.</param>
/// <param name="IsInRotation">It may be given requests, and its gate is true.</param>
/// <param name="MustResume">It is paused and nobody will resume it.</param>
public readonly record struct ReplicaVerdict(ReplicaState State, bool IsInRotation, bool MustResume = false);

/// <summary>
/// Which replicas get requests. A replica does when its engine answers, holds weights that may be served, and has not failed an
/// update. One that is paused for the update in flight stays in rotation: its engine keeps what comes, and taking all replicas out at
/// once would empty the service. Pure.
/// </summary>
public static class RotationPlanner
{
    /// <param name="facts">What is known.</param>
    /// <param name="mayServe">Whether a version may be served.</param>
    public static ReplicaVerdict Judge(ReplicaFacts facts, Func<string, bool> mayServe)
    {
        ArgumentNullException.ThrowIfNull(mayServe);
        if (facts.IsDraining) return new(ReplicaState.Draining, false);

        // Also while it does not answer: the gateway after this one must know that its weights are not whole.
        if (facts.HasFailed) return new(ReplicaState.Quarantined, false);
        if (facts.View is not { } view) return new(facts.HasAnswered ? ReplicaState.Lost : ReplicaState.Loading, false);
        if (facts.IsStalled) return new(ReplicaState.Stalled, false);
        var current = mayServe(view.Version);
        if (facts.IsOut) return new(facts.IsTaking ? ReplicaState.Updating : ReplicaState.Paused, false);
        if (facts.IsInUpdate) return new(facts.IsTaking ? ReplicaState.Updating : view.IsPaused ? ReplicaState.Paused : current ? ReplicaState.Ready : ReplicaState.Stale, current);
        if (view.IsPaused) return new(ReplicaState.Paused, false, MustResume: true);
        return current ? new(ReplicaState.Ready, true) : new(ReplicaState.Stale, false);
    }
}
