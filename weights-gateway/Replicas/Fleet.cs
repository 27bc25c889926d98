using Trestle.WeightsGateway.Engines;

namespace Trestle.WeightsGateway.Replicas;

/// <summary>All replicas, and which of them get requests.</summary>
/// <param name="source">Which there are.</param>
/// <param name="open">Opens the engine of a replica.</param>
/// <param name="time">Clock.</param>
public sealed class Fleet(IReplicaSource source, Func<Replica, IEngine> open, TimeProvider time)
{
    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(5);
    private const int Patience = 3;
    private readonly Lock _lock = new();
    private IReadOnlyList<Member> _members = [];
    private volatile IReadOnlyList<Member> _rotation = [];
    private Func<string, bool> _mayServe = _ => false;

    /// <summary>Told once of each life when its engine has answered, before it gets requests.</summary>
    public Action<Member>? FirstLook { get; set; }

    /// <summary>By ordinal.</summary>
    public IReadOnlyList<Member> Members => Volatile.Read(ref _members);

    /// <summary>Those that get requests.</summary>
    public IReadOnlyList<Member> Rotation => _rotation;

    /// <summary>Takes over which replicas there are. Another life is another member: what was known of the old one is void.</summary>
    public void Refresh()
    {
        lock (_lock)
        {
            var old = _members.ToDictionary(member => member.Name);
            var now = new List<Member>();
            foreach (var replica in source.Replicas)
            {
                if (old.TryGetValue(replica.Name, out var known) && known.Replica.Instance == replica.Instance && known.Replica.Control == replica.Control)
                {
                    known.Replica = replica;
                    now.Add(known);
                    old.Remove(replica.Name);
                }
                else
                {
                    now.Add(new Member(replica, open(replica)) { Gate = replica.Gate, MovedAt = time.GetTimestamp() });
                }
            }

            Volatile.Write(ref _members, now);
            foreach (var gone in old.Values) gone.End();
            Judge();
        }
    }

    /// <summary>Asks all engines what they hold.</summary>
    public Task LookAsync(CancellationToken ct) => Task.WhenAll(Members.Select(member => LookAsync(member, ct)));

    /// <summary>Asks one; false when it did not answer.</summary>
    public async Task<bool> LookAsync(Member member, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(member);
        var stamp = member.Stamp;
        EngineView? view;
        var late = false;
        string? silence = null;
        using var limit = new CancellationTokenSource(LookLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            view = await member.Engine.LookAsync(both.Token);
        }
        catch (Exception error) when (error is EngineException || (error is OperationCanceledException && !ct.IsCancellationRequested))
        {
            (view, late) = (null, error is OperationCanceledException);
            silence = late ? $"its engine did not answer within {LookLimit.TotalSeconds} s" : error.Message;
        }

        lock (_lock)
        {
            // It was told to do something meanwhile: what it said may be from before.
            if (member.Stamp != stamp || member.Gone.IsCancellationRequested) return view is not null;
            // A busy engine answers late; one that refuses is gone.
            member.Silences = late ? member.Silences + 1 : 0;
            if (late && member.Silences < Patience) return false;
            var isFirst = view is not null && !member.HasAnswered;
            (member.View, member.HasAnswered, member.Silence) = (view, member.HasAnswered || view is not null, silence);
            if (isFirst) FirstLook?.Invoke(member);
        }

        return view is not null;
    }

    /// <summary>Changes what is known of members, and at once who gets requests.</summary>
    public void Change(Action change)
    {
        ArgumentNullException.ThrowIfNull(change);
        lock (_lock)
        {
            change();
            Judge();
        }
    }

    /// <summary>Decides anew who gets requests.</summary>
    /// <param name="mayServe">Whether a version may be served.</param>
    public void Judge(Func<string, bool> mayServe)
    {
        lock (_lock)
        {
            _mayServe = mayServe;
            Judge();
        }
    }

    private void Judge()
    {
        foreach (var member in _members) member.Put(RotationPlanner.Judge(member.Facts, _mayServe));
        _rotation = [.. _members.Where(member => member.IsInRotation)];
    }
}
