using Trestle.WeightsGateway.Engines;

namespace Trestle.WeightsGateway.Replicas;

/// <summary>One life of a replica and all that is known of it. Only <see cref="Fleet"/> and the update in flight change it.</summary>
public sealed class Member
{
    private readonly Ending _gone = Ending.Ahead();
    private Ending _leaves = Ending.Ahead();
    private int _requests;

    internal Member(Replica replica, IEngine engine) => (Replica, Engine) = (replica, engine);

    /// <summary>As its pod shows it.</summary>
    public Replica Replica { get; internal set; }

    /// <summary>Its control routes.</summary>
    public IEngine Engine { get; }

    /// <summary>Name of its pod.</summary>
    public string Name => Replica.Name;

    /// <summary>What its engine said last; null when it does not answer.</summary>
    public EngineView? View { get; internal set; }

    /// <summary>Its engine has answered in this life.</summary>
    public bool HasAnswered { get; internal set; }

    /// <summary>Why it is quarantined; null when it is not.</summary>
    public string? Failure { get; internal set; }

    /// <summary>Why it did not answer the last look; null when it did.</summary>
    public string? Silence { get; internal set; }

    /// <summary>Why it gets no requests, as far as more is known than its state; null otherwise.</summary>
    public string? WhyNot => IsInRotation ? null : Failure is { } failure ? PlainText.Of(failure) : Replica.Trouble ?? (Silence is { } silence ? PlainText.Of(silence) : null);

    /// <summary>It was in an update although it had failed one before: the next failure keeps it out until it is restarted.</summary>
    public bool HasHadItsChance { get; internal set; }

    /// <summary>Requests run and no token comes.</summary>
    public bool IsStalled { get; internal set; }

    /// <summary>It takes part in the update in flight.</summary>
    public bool IsInUpdate { get; internal set; }

    /// <summary>Weights are on their way to it.</summary>
    public bool IsTaking { get; internal set; }

    /// <summary>Kept out of rotation while it is updated on its own.</summary>
    public bool IsOut { get; internal set; }

    /// <summary>What it is doing.</summary>
    public ReplicaState State { get; internal set; } = ReplicaState.Loading;

    /// <summary>It is given requests.</summary>
    public bool IsInRotation { get; private set; }

    /// <summary>It is paused and nobody will resume it.</summary>
    public bool MustResume { get; internal set; }

    /// <summary>What its gate was set to last; null when that is not known.</summary>
    public bool? Gate { get; internal set; }

    /// <summary>Requests and tokens at the last look.</summary>
    public EngineLoad? Load { get; internal set; }

    /// <summary>When a token was last seen, or nothing ran.</summary>
    public long MovedAt { get; internal set; }

    /// <summary>Requests that the router has given it and that have not ended.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Cancelled when it leaves rotation and won't answer what it has: that goes elsewhere. One that drains answers.</summary>
    public CancellationToken Leaves => _leaves.Token;

    /// <summary>Cancelled when this life has ended.</summary>
    public CancellationToken Gone => _gone.Token;

    /// <summary>Grows with everything it is told to do: what was seen before is out of date.</summary>
    internal int Stamp { get; private set; }

    /// <summary>Looks in a row that it did not answer in time.</summary>
    internal int Silences { get; set; }

    internal ReplicaFacts Facts => new(View)
    {
        IsDraining = Replica.IsDraining,
        HasAnswered = HasAnswered,
        HasFailed = Failure is not null,
        IsStalled = IsStalled,
        IsInUpdate = IsInUpdate,
        IsTaking = IsTaking,
        IsOut = IsOut,
    };

    internal void Took() => Interlocked.Increment(ref _requests);

    internal void GaveBack() => Interlocked.Decrement(ref _requests);

    internal void Told() => Stamp++;

    internal void Put(ReplicaVerdict verdict)
    {
        (State, MustResume) = (verdict.State, verdict.MustResume);
        if (verdict.IsInRotation == IsInRotation) return;
        IsInRotation = verdict.IsInRotation;
        if (verdict.IsInRotation && _leaves.Token.IsCancellationRequested) _leaves = Ending.Ahead();
        if (verdict.State is ReplicaState.Quarantined or ReplicaState.Stalled or ReplicaState.Lost or ReplicaState.Stale) _leaves.Come();
    }

    internal void End()
    {
        _gone.Come();
        (IsInRotation, View) = (false, null);
        _leaves.Come();
    }
}
