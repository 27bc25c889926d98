using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Clusters;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Logs;
using Trestle.Runtime;

namespace Trestle.Bridge;

/// <summary>All that works while the API server can be reached.</summary>
[EntityRbac(ApiGroup.Name, "slurmjobs,slurmclusters", "list,watch")]
internal sealed class BridgeTerm
{
    /// <summary>Index of SlurmJobs by their cluster.</summary>
    public const string ClusterIndex = "cluster";

    private const int Workers = 16;
    private readonly Informer<SlurmJob> _jobs;
    private readonly Informer<SlurmCluster> _clusters;
    private readonly BridgeParts _parts;
    private readonly BridgeOptions _options;
    private readonly LogKey _key;
    private readonly ClusterSessions _sessions;
    private readonly Controller _jobController;
    private readonly Controller _clusterController;
    private readonly Controller? _logAccounts;

    public BridgeTerm(BridgeParts parts, BridgeOptions options, LogKey key)
    {
        (_options, _key) = (options, key);
        _jobs = new Informer<SlurmJob>(parts.Api, Selection.All, parts.Time, parts.Log).WithIndex(ClusterIndex, job => job.Spec.Cluster);
        _clusters = new Informer<SlurmCluster>(parts.Api, Selection.All, parts.Time, parts.Log);
        _parts = parts with { Jobs = _jobs.Cache, JobChanged = job => _jobController!.Enqueue(job), ClusterChanged = name => _clusterController!.Enqueue(new ObjectKey("", name)) };
        var identity = $"{Environment.MachineName}_{Environment.ProcessId}_{Guid.NewGuid().ToString("N")[..8]}";
        _sessions = new ClusterSessions(_clusters.Cache, _parts, identity, LeaseTiming.OfSeconds(options.LeaseSeconds)) { Began = Began };
        _jobController = new Controller("slurmjob", new SlurmJobReconciler(_jobs.Cache, _sessions, _parts), parts.Time, parts.Log).For(_jobs);
        _clusterController = new Controller("slurmcluster", new SlurmClusterReconciler(_clusters.Cache, _sessions, _parts), parts.Time, parts.Log).For(_clusters);
        if (options.LogsAt is { } at)
            _logAccounts = new Controller("logaccount", new LogAccounts(parts.Api, at, parts.Time), parts.Time, parts.Log).Watches(_jobs, job => [LogAccounts.KeyOf(job.Metadata.NamespaceProperty)]);
    }

    /// <summary>Called with the address of the logs when the caches are filled.</summary>
    public Action<string>? Started { get; init; }

    /// <summary>Works until cancelled; throws what broke a part of it.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var term = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await using var logs = new LogServer(_jobs.Cache, _sessions, _key, new LogReaders(_parts.Api, _parts.Time), _parts.Time);
        List<Task> running = [_jobs.RunAsync(term.Token), _clusters.RunAsync(term.Token)];
        try
        {
            await Task.WhenAll(_jobs.Synced, _clusters.Synced).WaitAsync(term.Token);
            _clusters.Changed += _sessions.Changed;
            foreach (var cluster in _clusters.Cache.Items) _sessions.Changed(null, cluster);
            Started?.Invoke(await logs.StartAsync(_options.LogsListen, term.Token));
            running.AddRange([_jobController.RunAsync(Workers, term.Token), _clusterController.RunAsync(4, term.Token)]);
            if (_logAccounts is not null) running.Add(_logAccounts.RunAsync(1, term.Token));
            await await Task.WhenAny(running);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Asked to end.
        }
        finally
        {
            _clusters.Changed -= _sessions.Changed;
            await _sessions.StopAsync();
            await term.CancelAsync();
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _jobController.Dispose();
            _clusterController.Dispose();
            _logAccounts?.Dispose();
            BridgeLog.Ended(_parts.Log);
        }
    }

    private void Began(string cluster)
    {
        _clusterController.Enqueue(new ObjectKey("", cluster));
        foreach (var job in _jobs.Cache.Where(ClusterIndex, cluster)) _jobController.Enqueue(job.Key());
    }
}
