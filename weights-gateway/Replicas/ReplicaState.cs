namespace Trestle.WeightsGateway.Replicas;

/// <summary>What a replica is doing, as status.replicaStatuses[].state says it.</summary>
public enum ReplicaState
{
    /// <summary>Its engine has not answered yet.</summary>
    Loading,

    /// <summary>It takes requests.</summary>
    Ready,

    /// <summary>It is paused.</summary>
    Paused,

    /// <summary>It takes weights.</summary>
    Updating,

    /// <summary>Its weights may not be served.</summary>
    Stale,

    /// <summary>It failed an update; it stays paused until it takes a whole update or is restarted.</summary>
    Quarantined,

    /// <summary>Requests run and no token comes.</summary>
    Stalled,

    /// <summary>It is being ended.</summary>
    Draining,

    /// <summary>Its engine answered once and no longer does.</summary>
    Lost,
}
