using Trestle.WeightsGateway.Engines;

namespace Trestle.WeightsGateway.Replicas;

/// <summary>All that is known of a replica when it is judged.</summary>
/// <param name="View">What its engine says; null when it does not answer.</param>
public readonly record struct ReplicaFacts(EngineView? View)
{
    /// <summary>It is being ended.</summary>
    public bool IsDraining { get; init; }

    /// <summary>Its engine has answered in this life.</summary>
    public bool HasAnswered { get; init; }

    /// <summary>It failed an update in this life and has not taken a whole one since.</summary>
    public bool HasFailed { get; init; }

    /// <summary>Requests run and no token comes.</summary>
    public bool IsStalled { get; init; }

    /// <summary>It takes part in the update in flight.</summary>
    public bool IsInUpdate { get; init; }

    /// <summary>Weights are on their way to it.</summary>
    public bool IsTaking { get; init; }

    /// <summary>It is kept out of rotation while it is updated on its own.</summary>
    public bool IsOut { get; init; }
}
