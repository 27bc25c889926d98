using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.InferenceServices;

/// <summary>
/// Which replicas are made and which are ended. Pure. Replicas have the ordinals from 0; while some of them are of an old
/// template, maxSurge more of the new one have the ordinals behind. A ready replica is only ended when enough others are
/// ready: as many as are wanted, less maxUnavailable. One that is not ready is ended at once when it is old or too many. The
/// highest ordinals go first.
/// </summary>
internal sealed class Rollout
{
    private readonly IReadOnlyList<Replica> _replicas;
    private readonly int _wanted;
    private readonly List<Replica> _end = [];
    private int _ready;

    private Rollout(IReadOnlyList<Replica> replicas, int wanted, int fewest)
    {
        (_replicas, _wanted, Fewest) = (replicas, wanted, fewest);
        _ready = replicas.Count(replica => replica.IsReady);
    }

    /// <summary>Ready replicas that must stay.</summary>
    public int Fewest { get; }

    /// <summary>Replicas to end.</summary>
    public IReadOnlyList<Replica> End => _end;

    /// <summary>Ordinals that should have all their pods.</summary>
    public int Keep { get; private set; }

    /// <summary>Decides.</summary>
    /// <param name="replicas">What is there; those in trouble are ended anyway.</param>
    /// <param name="wanted">How many should be there.</param>
    /// <param name="spec">The limits.</param>
    public static Rollout Of(IReadOnlyList<Replica> replicas, int wanted, RolloutSpec? spec)
    {
        var (surge, fewest) = Limits(wanted, spec);
        var rollout = new Rollout(replicas, wanted, fewest);
        rollout.Decide(surge);
        return rollout;
    }

    /// <summary>Replicas that may be there beyond those wanted, and ready ones that must stay. Without either nothing could ever be rolled out.</summary>
    public static (int Surge, int Fewest) Limits(int wanted, RolloutSpec? spec)
    {
        var surge = Shares.Of(spec?.MaxSurge, wanted, 1, up: true);
        var unavailable = Shares.Of(spec?.MaxUnavailable, wanted, 0, up: false);
        return (surge, Math.Max(0, wanted - (surge == 0 ? Math.Max(1, unavailable) : unavailable)));
    }

    private void Decide(int surge)
    {
        var sound = _replicas.Where(replica => replica is { Trouble: null, Pods.Count: > 0 }).OrderByDescending(replica => replica.Ordinal).ToList();
        var old = sound.Count(replica => replica.Ordinal < _wanted && replica.IsOld);
        Keep = (int)Math.Min((long)_wanted + Math.Min(surge, old), int.MaxValue);
        TryEnd(sound.Where(replica => replica.Ordinal >= Keep || (replica.Ordinal >= _wanted && replica.IsOld)));
        TryEnd(sound.Where(replica => replica.Ordinal < _wanted && replica.IsOld).OrderBy(replica => replica.IsReady));
    }

    private void TryEnd(IEnumerable<Replica> replicas)
    {
        foreach (var replica in replicas)
        {
            if (replica.IsReady && _ready <= Fewest) continue;
            if (replica.IsReady) _ready--;
            _end.Add(replica);
        }
    }
}
