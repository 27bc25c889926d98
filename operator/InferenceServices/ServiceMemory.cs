using Trestle.Operator.Views;

namespace Trestle.Operator.InferenceServices;

/// <summary>
/// What is known of a service beside its objects. Losing it in a crash costs a back-off or five minutes of autoscaling and
/// nothing else. One reconciler at a time uses it.
/// </summary>
internal sealed class ServiceMemory(string uid)
{
    // Somebody may have changed or deleted what nobody watches.
    private static readonly TimeSpan EnsureInterval = TimeSpan.FromMinutes(5);

    // Many replicas become ready one after the other.
    private static readonly TimeSpan PublishInterval = TimeSpan.FromSeconds(2);

    private readonly HashSet<string> _deleted = [];
    private readonly Dictionary<int, ReplicaFailures> _failures = [];
    private readonly Dictionary<string, DateTimeOffset> _released = [];
    private readonly List<Recommendation> _recommendations = [];
    private (string? Hash, DateTimeOffset At) _ensured;
    private (string? Text, DateTimeOffset At) _published;

    public string Uid => uid;

    public IReadOnlySet<string> Deleted => _deleted;

    public IReadOnlyDictionary<int, ReplicaFailures> Failures => _failures;

    public IReadOnlyDictionary<string, DateTimeOffset> Released => _released;

    public IReadOnlyList<Recommendation> Recommendations => _recommendations;

    /// <summary>Takes note of the pods there are.</summary>
    public void See(IReadOnlyList<PodView> pods, DateTimeOffset now)
    {
        var there = pods.ToDictionary(pod => pod.Metadata.Uid);
        _deleted.RemoveWhere(known => !there.ContainsKey(known));
        foreach (var gone in _released.Keys.Where(known => !there.TryGetValue(known, out var pod) || pod.Spec.NodeName is not null).ToList()) _released.Remove(gone);
        foreach (var pod in pods.Where(pod => pod.IsOfReplica() && !pod.IsGated() && pod.Spec.NodeName is null && !pod.IsTerminating())) _released.TryAdd(pod.Metadata.Uid, now);
    }

    /// <summary>Pods were told to end.</summary>
    public void Ended(IEnumerable<PodView> pods)
    {
        foreach (var pod in pods) _deleted.Add(pod.Metadata.Uid);
    }

    /// <summary>A replica failed.</summary>
    public void Failed(int replica, TimeSpan age, string message, DateTimeOffset now) => _failures[replica] = ReplicaFailures.Next(_failures.GetValueOrDefault(replica), now, age, message);

    /// <summary>Autoscaling asked for so many.</summary>
    /// <param name="replicas">How many.</param>
    /// <param name="before">How many there should have been: counts as asked for when nothing is remembered.</param>
    /// <param name="now">The time.</param>
    public void Recommended(int replicas, int before, DateTimeOffset now)
    {
        if (_recommendations.Count == 0) _recommendations.Add(new Recommendation(now, before));
        _recommendations.Add(new Recommendation(now, replicas));
        _recommendations.RemoveAll(one => one.At <= now - Autoscaler.Window);
    }

    /// <summary>How long the list of replicas must still wait to be written; zero: write it; null: it is as it should be.</summary>
    public TimeSpan? UntilPublished(string text, DateTimeOffset now)
    {
        var age = now - _published.At;
        if (age < TimeSpan.Zero) return TimeSpan.Zero; // somebody has set the clock
        if (text == _published.Text && age < EnsureInterval) return null;
        return age < PublishInterval ? PublishInterval - age : TimeSpan.Zero;
    }

    /// <summary>It was written.</summary>
    public void Published(string text, DateTimeOffset now) => _published = (text, now);

    /// <summary>Whether the objects beside pods are as they should be.</summary>
    public bool IsEnsured(string hash, DateTimeOffset now) => _ensured.Hash == hash && now < _ensured.At + EnsureInterval;

    /// <summary>They are.</summary>
    public void Ensured(string hash, DateTimeOffset now) => _ensured = (hash, now);
}
