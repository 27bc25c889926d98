using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Login;
using Trestle.Runtime;

namespace Trestle.Bridge.Clusters;

/// <summary>
/// Splits the clusters between the replicas of the bridge, by one Lease each. A replica that serves many asks later for another one,
/// so that replicas that start together share them.
/// </summary>
/// <param name="clusters">All clusters.</param>
/// <param name="parts">What all sessions have in common.</param>
/// <param name="identity">Who this process is; different in every process.</param>
/// <param name="timing">How long leases last.</param>
[EntityRbac("coordination.k8s.io", "leases", "get,create,update", InOwnNamespace = true)]
internal sealed class ClusterSessions(IObjectCache<SlurmCluster> clusters, BridgeParts parts, string identity, LeaseTiming timing)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<string, ClusterSession> _sessions = [];
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Gate> _gates = [];

    /// <summary>Called when a session began.</summary>
    public Action<string>? Began { get; init; }

    /// <summary>The session of a cluster; null when this process does not serve it.</summary>
    public ClusterSession? Of(string cluster) => _sessions.GetValueOrDefault(cluster);

    /// <summary>Whether there is such a cluster, whoever serves it.</summary>
    public bool IsThere(string cluster) => clusters.Find(new ObjectKey("", cluster)) is not null;

    /// <summary>A cluster is new, has changed, or is gone.</summary>
    public void Changed(SlurmCluster? old, SlurmCluster? now)
    {
        var name = (now ?? old)!.Metadata.Name;
        lock (_lock) ChangedLocked(name, old, now);
    }

    private void ChangedLocked(string name, SlurmCluster? old, SlurmCluster? now)
    {
        if (now is null || now.Metadata.DeletionTimestamp is not null)
        {
            if (_gates.Remove(name, out var gone)) gone.Stop();
        }
        else if (!_gates.TryGetValue(name, out var gate))
        {
            gate = _gates[name] = new Gate();
            gate.Run(ct => ServeAsync(name, gate, ct));
        }
        else if (old?.Metadata.Generation != now.Metadata.Generation)
        {
            gate.Renew();
        }
    }

    /// <summary>Ends all sessions and gives their leases back.</summary>
    public async Task StopAsync()
    {
        List<Gate> gates;
        lock (_lock) gates = [.. _gates.Values];
        foreach (var gate in gates) gate.Stop();
        await Task.WhenAll(gates.Select(gate => gate.Ended)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ServeAsync(string cluster, Gate gate, CancellationToken ct)
    {
        var lease = new LeaderGate(parts.Api, parts.Namespace, $"trestle-bridge-{cluster}", identity, parts.Time, parts.Log, timing);
        for (var round = 0; !ct.IsCancellationRequested; round = 1)
        {
            await Task.Delay(timing.RetryPeriod * (_sessions.Count + round), parts.Time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await lease.RunAsync(term => TermAsync(cluster, gate, term), ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TermAsync(string cluster, Gate gate, CancellationToken term)
    {
        while (!term.IsCancellationRequested)
        {
            using var session = CancellationTokenSource.CreateLinkedTokenSource(term, gate.NextSpec());
            if (clusters.Find(new ObjectKey("", cluster)) is not { } found) return;
            try
            {
                var begun = _sessions[cluster] = new ClusterSession(found, parts);
                BridgeLog.Serving(parts.Log, cluster);
                BridgeMeter.Serves(_sessions.Count);
                Began?.Invoke(cluster);
                await begun.RunAsync(session.Token);
            }
            catch (Exception error) when (session.IsCancellationRequested && error is OperationCanceledException or ContactLostException)
            {
                // The lease is lost, or the spec is another one.
            }
            catch (Exception error)
            {
                BridgeLog.SessionBroke(parts.Log, error, cluster);
                await Task.Delay(Pause, parts.Time, term).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            finally
            {
                _sessions.TryRemove(cluster, out _);
                BridgeMeter.Serves(_sessions.Count);
                BridgeLog.NotServing(parts.Log, cluster);
            }
        }
    }

    /// <summary>What is done about one cluster, until it is gone.</summary>
    [SuppressMessage("Design", "CA1001", Justification = "Sources without a timer hold nothing, and others may still be asking for their tokens")]
    private sealed class Gate
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Lock _lock = new();
        private CancellationTokenSource _spec = new();

        public Task Ended { get; private set; } = Task.CompletedTask;

        public void Run(Func<CancellationToken, Task> work) => Ended = Task.Run(() => work(_stop.Token), CancellationToken.None);

        public void Stop() => _stop.Cancel();

        /// <summary>Cancelled when the spec changes after this call.</summary>
        public CancellationToken NextSpec()
        {
            lock (_lock) return _spec.Token;
        }

        public void Renew()
        {
            CancellationTokenSource old;
            lock (_lock) (old, _spec) = (_spec, new CancellationTokenSource());
            old.Cancel();
        }
    }
}
