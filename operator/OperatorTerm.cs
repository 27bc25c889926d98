using k8s.Models;
using Microsoft.Extensions.Logging;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.JobGroups;
using Trestle.Operator.Launch;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Slurm;
using Trestle.Operator.Storages;
using Trestle.Operator.Telemetry;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator;

/// <summary>
/// All that works while this process is the leader. Its caches are its own, so that nothing is decided on what was true in an
/// earlier term.
/// </summary>
[EntityRbac("", "pods,nodes", "list,watch")]
[EntityRbac("", "events", "create,patch")]
[EntityRbac(ApiGroup.Name, "slurmjobs,slurmclusters", "list,watch")]
internal sealed class OperatorTerm
{
    private const int Workers = 8;
    private const string NodeIndex = "node";

    private readonly IKubeApi _api;
    private readonly OperatorOptions _options;
    private readonly OperatorTelemetry _telemetry;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Informer<TrainingJob> _jobs;
    private readonly Informer<JobGroup> _groups;
    private readonly Informer<InferenceService> _services;
    private readonly Informer<Storage> _storages;
    private readonly Informer<Queue> _queues;
    private readonly Informer<NodeView> _nodes;
    private readonly Informer<PodView> _pods;
    private readonly Informer<SlurmJob> _slurmJobs;
    private readonly Informer<SlurmCluster> _clusters;
    private readonly ModeInformers _modes;
    private PodSettings _settings;

    public OperatorTerm(IKubeApi api, IApiDiscovery discovery, OperatorOptions options, OperatorTelemetry telemetry, TimeProvider time, ILogger log)
    {
        (_api, _options, _telemetry, _time, _log) = (api, options, telemetry, time, log);
        _settings = new PodSettings(options.DefaultImage, options.NodeImage, "", options.DefaultStorageRoot) { LauncherAccount = options.LauncherAccount, StartTimeout = options.StartTimeout, GatewayImage = options.GatewayImage, SharedNetwork = options.SharedNetwork };
        _groups = new Informer<JobGroup>(api, Selection.All, time, log);
        _services = new Informer<InferenceService>(api, Selection.All, time, log);
        _storages = new Informer<Storage>(api, Selection.All, time, log);
        _queues = new Informer<Queue>(api, Selection.All, time, log);
        _nodes = new Informer<NodeView>(api, Selection.All, time, log);
        _jobs = new Informer<TrainingJob>(api, Selection.All, time, log).WithIndex(JobGroupReconciler.GroupIndex, JobGroupReconciler.GroupKey);
        _pods = new Informer<PodView>(api, Selection.All, time, log)
            .WithIndex(PodFacts.JobUidIndex, pod => pod.JobUid())
            .WithIndex(PodFacts.ServiceUidIndex, pod => pod.ServiceUid())
            .WithIndex(NodeIndex, pod => pod.JobUid() is null && pod.ServiceUid() is null ? null : pod.Spec.NodeName);
        _slurmJobs = new Informer<SlurmJob>(api, Selection.All, time, log).WithIndex(SlurmCaches.JobUidIndex, SlurmCaches.JobUid);
        _clusters = new Informer<SlurmCluster>(api, Selection.All, time, log);
        _modes = new ModeInformers(api, discovery, options, PodOf, time, log);
    }

    /// <summary>Called when the caches are filled and the rendezvous listens.</summary>
    public Action? Started { get; init; }

    /// <summary>Works until cancelled; throws what broke a part of it.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var term = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var key = new RendezvousKey(await new TokenSecret(_api, new ObjectKey(_options.Namespace, "trestle-rendezvous"), new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue }).OpenAsync(term.Token));
        var events = new EventRecorder(_api, "trestle-operator", _time, _log);

        // Built before the caches fill, so that they are told of everything there is.
        await using var rendezvous = new RendezvousServer(_jobs.Cache, _pods.Cache, _groups.Cache, key, _time);
        using var scheduler = Scheduler(events);
        using var jobs = JobController(key, rendezvous, events);
        using var admission = AdmissionController(events);
        using var groups = GroupController(events);
        using var storages = StorageController(rendezvous.Mounts);
        using var services = ServiceController(scheduler.Waits, events);
        using var watch = _telemetry.Watch(_jobs, _pods, _nodes);
        _pods.Changed += (_, _) => rendezvous.PodChanged();

        List<Task> parts = [_jobs.RunAsync(term.Token), _groups.RunAsync(term.Token), _services.RunAsync(term.Token), _storages.RunAsync(term.Token), _queues.RunAsync(term.Token), _nodes.RunAsync(term.Token), _pods.RunAsync(term.Token), _slurmJobs.RunAsync(term.Token), _clusters.RunAsync(term.Token), events.RunAsync(term.Token)];
        try
        {
            // A server that knows no jobs yet would turn ranks away.
            await _modes.StartAsync(term.Token);
            await Task.WhenAll(_jobs.Synced, _groups.Synced, _services.Synced, _storages.Synced, _queues.Synced, _nodes.Synced, _pods.Synced, _slurmJobs.Synced, _clusters.Synced).WaitAsync(term.Token);
            var bound = await rendezvous.StartAsync(_options.RendezvousListen, term.Token);
            _settings = _settings with { RendezvousUrl = (_options.RendezvousUrl ?? bound).TrimEnd('/') };
            OperatorLog.Working(_log, _settings.RendezvousUrl);
            Started?.Invoke();
            parts.AddRange([scheduler.RunAsync(term.Token), jobs.RunAsync(Workers, term.Token), admission.RunAsync(Workers, term.Token), _modes.RunAsync(term.Token), groups.RunAsync(2, term.Token), storages.RunAsync(2, term.Token), services.RunAsync(4, term.Token)]);
            await await Task.WhenAny(parts);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Asked to end.
        }
        finally
        {
            await term.CancelAsync();
            await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            OperatorLog.Ended(_log);
        }
    }

    private Scheduler Scheduler(IEventRecorder events)
    {
        var caches = new SchedulerCaches(_jobs.Cache, _groups.Cache, _pods.Cache, _nodes.Cache) { Queues = _queues.Cache, Services = _services.Cache };
        var scheduler = new Scheduler(_api, caches, PodOf, events, _time, _log) { StarvationTimeout = _options.StarvationTimeout, TolerationsOf = TolerationsOf };
        _jobs.Changed += (old, now) =>
        {
            if (JobMark.Differs(old, now)) scheduler.Wake();
        };
        _groups.Changed += (_, _) => scheduler.Wake();
        _services.Changed += (old, now) =>
        {
            if (old?.Metadata.Generation != now?.Metadata.Generation || old?.IsDeleting() != now?.IsDeleting()) scheduler.Wake();
        };
        _queues.Changed += (old, now) =>
        {
            // What it is told of a queue's use is its own report.
            if (old?.Metadata.Generation != now?.Metadata.Generation || old is null) scheduler.Wake();
        };
        _nodes.Changed += (_, _) => scheduler.Wake();
        _pods.Changed += (old, now) =>
        {
            if (NodeSnapshot.Differs(old, now) || now is { } pod && pod.IsOfReplica() && pod.IsGated()) scheduler.Wake();
        };
        return scheduler;
    }

    private Controller JobController(RendezvousKey key, RendezvousServer ranks, IEventRecorder events)
    {
        var controller = new Controller("trainingjob", new TrainingJobReconciler(_api, _jobs.Cache, _pods.Cache, _storages.Cache, _nodes.Cache, () => _settings, key, ranks.Heartbeats, ranks.Mounts, events, _time, _modes.Modes, new SlurmCaches(_slurmJobs.Cache, _clusters.Cache, _groups.Cache)), _time, _log)
            .For(_jobs)
            .Owns(_pods, TrainingJob.KubeKind)
            .Owns(_slurmJobs, TrainingJob.KubeKind)
            .Watches(_nodes, node => OwnersOn(node, TrainingJob.KubeKind))
            .Watches(_storages, storage => _jobs.Cache.Items.Where(job => job.Status?.HasEnded() != true && StoragePlanner.Used(job).Contains(storage.Key())).Select(job => job.Key()));
        ranks.Mounts.Told = uid =>
        {
            if (_pods.Cache.Where(PodFacts.JobUidIndex, uid) is [var pod, ..] && pod.ControllerOwner() is { } owner) controller.Enqueue(new ObjectKey(pod.Metadata.NamespaceProperty, owner.Name));
        };
        return controller;
    }

    private Controller AdmissionController(IEventRecorder events)
    {
        var controller = new Controller("admission", new AdmissionReconciler(_api, _jobs.Cache, _pods.Cache, _nodes.Cache, _modes.Modes, events, _time), _time, _log)
            .For(_jobs)
            .Owns(_pods, TrainingJob.KubeKind);
        _modes.Tell(controller);
        return controller;
    }

    private Controller GroupController(IEventRecorder events) =>
        new Controller("jobgroup", new JobGroupReconciler(_api, _groups.Cache, _jobs.Cache, events, _time, _services.Cache), _time, _log)
            .For(_groups)
            .Owns(_jobs, JobGroup.KubeKind)
            .Owns(_services, JobGroup.KubeKind)
            .Watches(_jobs, job => JobGroupPlanner.GroupOf(job) is { } group ? [new ObjectKey(job.Metadata.NamespaceProperty, group)] : []);

    private Controller ServiceController(ReplicaWaits waits, IEventRecorder events) =>
        new Controller("inferenceservice", new InferenceServiceReconciler(_api, _services.Cache, _pods.Cache, _nodes.Cache, () => _settings, waits, events, _time, _log), _time, _log)
            .For(_services)
            .Owns(_pods, InferenceService.KubeKind)
            .Watches(_nodes, node => OwnersOn(node, InferenceService.KubeKind));

    private IEnumerable<ObjectKey> OwnersOn(NodeView node, string kind) => _pods.Cache.Where(NodeIndex, node.Metadata.Name)
        .Where(pod => pod.ControllerOwner()?.Kind == kind).Select(pod => new ObjectKey(pod.Metadata.NamespaceProperty, pod.ControllerOwner()!.Name));

    private Controller StorageController(MountReports mounts)
    {
        var controller = new Controller("storage", new StorageReconciler(_api, _storages.Cache, _jobs.Cache, _pods.Cache, mounts, () => _settings, _time), _time, _log).For(_storages).Owns(_pods, Storage.KubeKind);

        // A new job is a reason to look into a storage, and an ended one for the last time; what happens in between is not.
        _jobs.Changed += (old, now) =>
        {
            if (old is not null && old.Status?.HasEnded() == now?.Status?.HasEnded()) return;
            foreach (var key in StoragePlanner.Used(now ?? old!)) controller.Enqueue(key);
        };
        return controller;
    }

    // Of any rank, to see what it asks for.
    private V1Pod PodOf(TrainingJob job) => LaunchObjects.Pod(job, _settings, StoragesOf(job), 0, 0);

    private IReadOnlyList<V1Toleration> TolerationsOf(InferenceService service) =>
        ServicePods.Problem(service) is null ? [.. ServicePods.Replica(service, _settings, 0, 0).Spec.Tolerations ?? []] : [];

    private Dictionary<string, Storage> StoragesOf(TrainingJob job) =>
        StoragePlanner.Used(job).Select(_storages.Cache.Find).OfType<Storage>().ToDictionary(storage => storage.Metadata.Name);
}
