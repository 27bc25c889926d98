using System.Collections.Concurrent;
using System.Text;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Login;
using Trestle.Bridge.Slurm;
using Trestle.Runtime;

namespace Trestle.Bridge.Clusters;

/// <summary>Says of every cluster that this process serves whether it can be reached and what it has; looks again every minute.</summary>
/// <param name="clusters">All clusters.</param>
/// <param name="sessions">Those that this process serves.</param>
/// <param name="parts">What all sessions have in common.</param>
[EntityRbac(ApiGroup.Name, "slurmclusters/status", "update")]
internal sealed class SlurmClusterReconciler(IObjectCache<SlurmCluster> clusters, ClusterSessions sessions, BridgeParts parts) : IReconciler
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Shortly = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(45);
    private readonly ConcurrentDictionary<string, (ClusterSession Session, ClusterSight Sight, long At)> _sights = [];

    /// <inheritdoc/>
    public async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (clusters.Find(key) is not { } cluster || cluster.IsDeleting() || sessions.Of(key.Name) is not { } session) return null;
        if (session.Cluster.Metadata.Generation != cluster.Metadata.Generation) return null; // the new session calls again
        var (sight, isNew) = await SightAsync(session, ct);
        var status = SlurmClusterPlanner.Status(cluster, sight with { UserFailures = UserFailures(session) }, parts.Time.GetUtcNow());
        if ((isNew && sight.Failure is null) || !SlurmClusterPlanner.SaysTheSame(status, cluster.Status)) await WriteAsync(cluster, status, ct);
        return Wait(sight, session);
    }

    // An answer holds for a minute, as the status that is written calls us again; it is doubted when the poller says the opposite.
    private async Task<(ClusterSight Sight, bool IsNew)> SightAsync(ClusterSession session, CancellationToken ct)
    {
        var name = session.Cluster.Metadata.Name;
        if (_sights.TryGetValue(name, out var known) && ReferenceEquals(known.Session, session) && parts.Time.GetElapsedTime(known.At) < Wait(known.Sight, session) * 0.9) return (known.Sight, false);
        var sight = await LookAsync(session, ct);
        _sights[name] = (session, sight, parts.Time.GetTimestamp());
        return (sight, true);
    }

    // When sight and poller don't agree, or nothing is heard, the next look is soon.
    private static TimeSpan Wait(ClusterSight sight, ClusterSession session) => sight.Failure is null && session.Users.First().Poller.View.Failure is null ? Interval : Shortly;

    private async Task<ClusterSight> LookAsync(ClusterSession session, CancellationToken ct)
    {
        var mark = Separator.New();
        using var limit = new CancellationTokenSource(LongestLook, parts.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            var answer = await session.Users.First().Node.RunAsync(InventoryQuery.Command(mark), either.Token);
            var text = Encoding.UTF8.GetString(answer.Output.Span);
            return InventoryQuery.IsWhole(text, mark)
                ? new ClusterSight(InventoryQuery.Version(text), InventoryQuery.Partitions(answer.Output), null)
                : new ClusterSight(InventoryQuery.Version(text), null, $"the login node could not ask Slurm: {Printable.Text(Encoding.UTF8.GetString(answer.Error.Span), 300)}");
        }
        catch (ContactLostException error)
        {
            return new ClusterSight(null, null, error.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new ClusterSight(null, null, "the login node did not answer in time");
        }
    }

    private static List<string> UserFailures(ClusterSession session) =>
        [.. session.Users.Skip(1).Where(user => user.Poller.View.IsLost).Select(user => $"user {user.Name}: {user.Poller.View.Failure}")];

    private async Task WriteAsync(SlurmCluster cluster, SlurmClusterStatus status, CancellationToken ct)
    {
        try
        {
            await parts.Api.ReplaceStatusAsync(new SlurmCluster { Metadata = cluster.Metadata, Spec = cluster.Spec, Status = status }, ct);
        }
        catch (KubeApiException error) when (error.IsConflict || error.IsNotFound)
        {
            // The watch is on its way with what is newer.
        }
    }
}
