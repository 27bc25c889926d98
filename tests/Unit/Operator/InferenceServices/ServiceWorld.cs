using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.Launch;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Tests.Fakes;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.InferenceServices;

/// <summary>A service on nodes of two GPUs each, with the reconciler, the scheduler, kubelets and a gateway, which do one thing at a time.</summary>
internal sealed class ServiceWorld : IDisposable
{
    private readonly FakeCache<InferenceService> _services;
    private readonly FakeCache<PodView> _pods;
    private readonly FakeCache<NodeView> _nodes;
    private readonly FakeCache<TrainingJob> _jobs;
    private readonly FakeCache<JobGroup> _groups;
    private readonly FakeCache<Queue> _queues;
    private readonly Operator.Scheduling.Scheduler _scheduler;
    private readonly ObjectKey _key;
    private InferenceServiceReconciler _reconciler;

    public ServiceWorld(InferenceService service, params string[] nodes)
    {
        Api = new FakeKubeApi(Time);
        (_services, _pods, _nodes) = (new(Api), new(Api, pod => pod.ServiceUid()), new(Api));
        (_jobs, _groups, _queues) = (new(Api), new(Api), new(Api));
        _key = service.Key();
        foreach (var node in nodes) Make(Node(node, "True"));
        Make(service);
        _scheduler = new Operator.Scheduling.Scheduler(Api, new SchedulerCaches(_jobs, _groups, _pods, _nodes) { Services = _services, Queues = _queues }, _ => throw new InvalidOperationException("no jobs here"), Events, Time, NullLogger.Instance);
        _reconciler = Restarted();
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));

    public FakeKubeApi Api { get; }

    public CollectedEvents Events { get; } = new();

    public InferenceService Service => Api.Find<InferenceService>(_key)!;

    public IReadOnlyList<PodView> Replicas => [.. Api.All<PodView>().Where(pod => pod.IsOfReplica()).OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal)];

    public void Dispose() => _scheduler.Dispose();

    public void Restart() => _reconciler = Restarted();

    public void Make<T>(T item)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> => Api.CreateAsync(item, CancellationToken.None).IsCompletedSuccessfully.ShouldBeTrue();

    /// <summary>Changes the spec as a person does.</summary>
    public async Task ChangeAsync(Action<InferenceServiceSpec> change)
    {
        var service = Service;
        change(service.Spec);
        service.Metadata.Generation++;
        await Api.ReplaceAsync(service, CancellationToken.None);
    }

    public async Task<TimeSpan?> ReconcileAsync(bool refresh = true)
    {
        if (refresh) Refresh();
        return await _reconciler.ReconcileAsync(_key, CancellationToken.None);
    }

    public async Task ScheduleAsync(bool refresh = true)
    {
        if (refresh) Refresh();
        await _scheduler.PassAsync(CancellationToken.None);
    }

    /// <summary>Kubelets take up what is let go, engines load, the gateway finds them current; what was told to end has ended.</summary>
    public async Task LiveAsync()
    {
        foreach (var pod in Api.All<PodView>())
        {
            if (pod.IsTerminating())
            {
                Api.Remove<PodView>(pod.Key());
                continue;
            }

            if (pod.IsGated() || pod.IsTerminal()) continue;
            pod.Spec.NodeName ??= pod.Spec.NodeSelector?.GetValueOrDefault("kubernetes.io/hostname") ?? "n1";
            pod.Status = new PodViewStatus { Phase = "Running", PodIP = "10.0.0.1", Conditions = [new PodConditionView { Type = "Ready", Status = "True" }] };
            await Api.ReplaceAsync(pod, CancellationToken.None);
        }
    }

    /// <summary>All of them, until nothing changes.</summary>
    public async Task SettleAsync()
    {
        for (var round = 0; round < 30; round++)
        {
            await ReconcileAsync();
            await ScheduleAsync();
            await LiveAsync();
            Time.Advance(TimeSpan.FromSeconds(5));
        }

        await ReconcileAsync();
    }

    public async Task FailNodeAsync(string name)
    {
        var node = Node(name, "False");
        node.Metadata.ResourceVersion = Api.Find<NodeView>(new ObjectKey("", name))!.Metadata.ResourceVersion;
        await Api.ReplaceAsync(node, CancellationToken.None);
    }

    private void Refresh()
    {
        _services.Refresh();
        _pods.Refresh();
        _nodes.Refresh();
        _jobs.Refresh();
        _groups.Refresh();
    }

    private InferenceServiceReconciler Restarted() =>
        new(Api, _services, _pods, _nodes, () => new PodSettings(null, null, "", null), _scheduler.Waits, Events, Time, NullLogger.Instance);

    private static NodeView Node(string name, string ready) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, Labels = new Dictionary<string, string> { [Labels.Accelerator] = "H100", ["kubernetes.io/hostname"] = name } },
        Status = new NodeViewStatus { Allocatable = new() { ["cpu"] = "64", ["memory"] = "512Gi", [Names.GpuResource] = "2" }, Conditions = [new NodeConditionView { Type = "Ready", Status = ready }] },
    };
}
