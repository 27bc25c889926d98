using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Trestle.Local.Nodes.Agent;

/// <summary>The cluster as watched over the Kubernetes API.</summary>
internal sealed class KubernetesView : IClusterView
{
    private readonly WatchedKind<V1Pod> _pods;
    private readonly WatchedKind<V1Node> _nodes;
    private readonly WatchedKind<V1Service> _services;

    public KubernetesView(KubeConnection api, TimeProvider time, ILogger log)
    {
        _pods = new(api, "/api/v1/pods", time, log);
        _nodes = new(api, "/api/v1/nodes", time, log);
        _services = new(api, "/api/v1/services", time, log);
        _pods.Changed += pod => PodChanged?.Invoke(pod);
        _pods.Gone += pod => PodGone?.Invoke(pod);
        _nodes.Changed += node => NodeChanged?.Invoke(node.Metadata.Name);
        _nodes.Gone += node => NodeChanged?.Invoke(node.Metadata.Name);
        _services.Changed += _ => ServicesChanged?.Invoke();
        _services.Gone += _ => ServicesChanged?.Invoke();
    }

    public event Action<V1Pod>? PodChanged;

    public event Action<V1Pod>? PodGone;

    public event Action<string>? NodeChanged;

    public event Action? ServicesChanged;

    public IReadOnlyCollection<V1Pod> Pods => _pods.Objects;

    public IReadOnlyCollection<V1Node> Nodes => _nodes.Objects;

    public IReadOnlyCollection<V1Service> Services => _services.Objects;

    /// <summary>Completes when all lists were read once.</summary>
    public Task SyncedAsync(CancellationToken ct) => Task.WhenAll(_pods.Synced, _nodes.Synced, _services.Synced).WaitAsync(ct);

    public Task RunAsync(CancellationToken ct) => Task.WhenAll(_pods.RunAsync(ct), _nodes.RunAsync(ct), _services.RunAsync(ct));
}
