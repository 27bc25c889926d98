namespace Trestle.WeightsGateway.Updates;

/// <summary>Step of an update, as status.weights.phase says it; written before the step's first side effect.</summary>
public enum UpdatePhase
{
    /// <summary>None is in flight.</summary>
    Idle,

    /// <summary>Replicas are being paused; their weights are the old ones.</summary>
    Pausing,

    /// <summary>Replicas get ready to take weights; theirs are still the old ones.</summary>
    Starting,

    /// <summary>Weights travel: a paused replica may hold some of each.</summary>
    Updating,

    /// <summary>All weights have come; replicas finish and take the new version.</summary>
    Finishing,

    /// <summary>Prefix caches are emptied.</summary>
    Caching,

    /// <summary>Replicas are asked what they hold.</summary>
    Verifying,

    /// <summary>Replicas answer again.</summary>
    Resuming,
}
