using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Slurm;
using Trestle.Runtime;

namespace Trestle.Bridge.Clusters;

/// <summary>What a bridge has of a cluster while it holds its lease and the cluster's spec stays the same.</summary>
internal sealed class ClusterSession
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, UserSession> _users = [];
    private readonly BridgeParts _parts;

    public ClusterSession(SlurmCluster cluster, BridgeParts parts)
    {
        (Cluster, _parts) = (cluster, parts);
        Root = WorkRoot.Word(cluster.Spec.WorkRoot);
        var asked = Duration.TryParse(cluster.Spec.Poll?.Interval, out var interval) ? interval : DefaultInterval;
        Interval = asked > ShortestInterval ? asked : ShortestInterval;
        foreach (var user in cluster.Spec.Users.DistinctBy(user => user.User)) _users[user.User] = Open(user);
    }

    /// <summary>The cluster as it was when the session began.</summary>
    public SlurmCluster Cluster { get; }

    /// <summary>Where attempt directories are, as a word of a script; null when spec.workRoot can't be used.</summary>
    public string? Root { get; }

    /// <summary>Between two looks.</summary>
    public TimeSpan Interval { get; }

    /// <summary>All users, the first one first.</summary>
    public IReadOnlyCollection<UserSession> Users => _users.Values;

    /// <summary>Who a namespace is on the cluster; null when it is nobody.</summary>
    public UserSession? UserOf(string ns) =>
        Cluster.Spec.Users.FirstOrDefault(user => user.Namespaces.Contains(ns)) is { } user ? _users[user.User] : null;

    /// <summary>Polls and submits until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var parts = CancellationTokenSource.CreateLinkedTokenSource(ct);
        List<Task> running = [.. _users.Values.SelectMany(user => new[] { user.Poller.RunAsync(parts.Token), user.Lane.RunAsync(parts.Token) })];
        try
        {
            await await Task.WhenAny(running);
        }
        finally
        {
            await parts.CancelAsync();
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private UserSession Open(SlurmUser user)
    {
        var node = new UserLogin(_parts.Api, _parts.Nodes, Cluster, user, _parts.Namespace, _parts.Time);
        var poller = new JobPoller(node, Interval, () => Wanted(user.User).ToDictionary(job => job.Status!.JobId!, job => AttemptKey.Of(job.Spec)!), _parts.Time, _parts.Log)
        {
            Looked = (before, now) => Tell(user.User, before, now),
            Fail = _parts.Fail,
        };
        return new UserSession(user.User, node, new SubmissionLane(node, Root ?? "/nonexistent", _parts.Fail, _parts.Log), poller);
    }

    private void Tell(string user, QueueView before, QueueView now)
    {
        BridgeMeter.Looked(now.Failure is null);
        if (before.IsLost != now.IsLost || (before.Failure is null) != (now.Failure is null)) _parts.ClusterChanged(Cluster.Metadata.Name);
        foreach (var job in Wanted(user))
        {
            var id = job.Status!.JobId!;
            if (!Equals(before.Of(id), now.Of(id)) || now.Of(id) is Missing) _parts.JobChanged(job.Key());
        }
    }

    // Ids that somebody wrote into a status by hand never reach a script.
    private IEnumerable<SlurmJob> Wanted(string user) =>
        _parts.Jobs.Where(BridgeTerm.ClusterIndex, Cluster.Metadata.Name)
            .Where(job => JobId.IsValid(job.Status?.JobId) && !HasEnded(job.Status!) && AttemptKey.Of(job.Spec) is not null && UserOf(job.Metadata.NamespaceProperty)?.Name == user)
            .DistinctBy(job => job.Status!.JobId);

    private static bool HasEnded(SlurmJobStatus status) => status.Phase is SlurmJobPhase.Succeeded or SlurmJobPhase.Failed or SlurmJobPhase.Cancelled;
}
