namespace Trestle.Operator.Health;

/// <summary>How far an operator is.</summary>
public enum OperatorPhase
{
    /// <summary>It has not reached the API server yet.</summary>
    Starting,

    /// <summary>Another one leads; this one takes over when that ends.</summary>
    StandingBy,

    /// <summary>It leads and reads what there is; the rendezvous does not listen yet.</summary>
    FillingCaches,

    /// <summary>It leads; caches are filled and the rendezvous listens.</summary>
    Working,

    /// <summary>Something is in its way; it tries again.</summary>
    Failing,

    /// <summary>It was asked to end.</summary>
    Stopping,
}
