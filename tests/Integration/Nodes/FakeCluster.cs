using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Local.Nodes.Agent;
using Trestle.Local.Nodes.Containers;
using Trestle.Local.Nodes.Pods;

namespace Trestle.Integration.Tests.Nodes;

/// <summary>The least of a Kubernetes API that the agent needs, in memory; every write comes back as a watch event.</summary>
internal sealed class FakeCluster : IClusterView, IClusterApi, IPodApi
{
    private readonly ConcurrentDictionary<string, V1Pod> _pods = [];
    private readonly ConcurrentDictionary<string, V1Node> _nodes = [];
    private readonly Lock _lock = new();

    public event Action<V1Pod>? PodChanged;

    public event Action<V1Pod>? PodGone;

    public event Action<string>? NodeChanged;

#pragma warning disable CS0067 // part of the view; no test changes services yet
    public event Action? ServicesChanged;
#pragma warning restore CS0067

    public IReadOnlyCollection<V1Pod> Pods => [.. _pods.Values];

    public IReadOnlyCollection<V1Node> Nodes => [.. _nodes.Values];

    public IReadOnlyCollection<V1Service> Services { get; set; } = [];

    public Dictionary<string, V1ConfigMap> ConfigMaps { get; } = [];

    public Dictionary<string, V1Secret> Secrets { get; } = [];

    public ConcurrentQueue<string> Events { get; } = [];

    /// <summary>While it is not complete, every pod that is to start waits for its config maps and secrets.</summary>
    public Task Objects { get; set; } = Task.CompletedTask;

    /// <summary>The token of the last start that asked for them.</summary>
    public CancellationToken? InFlight { get; private set; }

    public V1Pod Pod(string name) => _pods[name + "-uid"];

    public V1Node Node(string name) => _nodes[name];

    public void Create(V1Pod pod)
    {
        pod.Metadata.CreationTimestamp = DateTime.UnixEpoch;
        _pods[pod.Metadata.Uid] = pod;
        PodChanged?.Invoke(pod);
    }

    public void Delete(string name, TimeSpan grace) => Change(name + "-uid", p => p.Metadata.DeletionTimestamp = TimeProvider.System.GetUtcNow().UtcDateTime + grace);

    public void Annotate(string node, string fault)
    {
        lock (_lock)
        {
            var copy = Copy(_nodes[node]);
            (copy.Metadata.Annotations ??= new Dictionary<string, string>())[NodeObjects.FaultAnnotation] = fault;
            _nodes[node] = copy;
        }

        NodeChanged?.Invoke(node);
    }

    public Task EnsureNodeAsync(V1Node node, CancellationToken ct)
    {
        if (_nodes.TryAdd(node.Metadata.Name, node)) NodeChanged?.Invoke(node.Metadata.Name);
        return Task.CompletedTask;
    }

    public Task RemoveNodeAsync(string name, CancellationToken ct)
    {
        if (_nodes.TryRemove(name, out _)) NodeChanged?.Invoke(name);
        return Task.CompletedTask;
    }

    public Task PatchNodeAsync(string name, JsonObject patch, CancellationToken ct)
    {
        lock (_lock) _nodes[name] = Merge(_nodes[name], patch);
        NodeChanged?.Invoke(name);
        return Task.CompletedTask;
    }

    public Task PatchNodeStatusAsync(string name, JsonObject patch, CancellationToken ct) => PatchNodeAsync(name, new JsonObject { ["status"] = patch.DeepClone() }, ct);

    public Task RenewLeaseAsync(string node, CancellationToken ct) => Task.CompletedTask;

    public Task<bool> BindAsync(V1Pod pod, string node, CancellationToken ct)
    {
        Change(pod.Metadata.Uid, p => p.Spec.NodeName = node);
        return Task.FromResult(true);
    }

    public Task PatchPodStatusAsync(V1Pod pod, JsonObject status, CancellationToken ct)
    {
        Replace(pod.Metadata.Uid, p => Merge(p, new JsonObject { ["status"] = status.DeepClone() }));
        return Task.CompletedTask;
    }

    public Task EvictAsync(V1Pod pod, CancellationToken ct)
    {
        Delete(pod.Metadata.Name, TimeSpan.FromSeconds(pod.Spec.TerminationGracePeriodSeconds ?? 30));
        return Task.CompletedTask;
    }

    public Task RemoveAsync(V1Pod pod, CancellationToken ct)
    {
        if (_pods.TryRemove(pod.Metadata.Uid, out var gone)) PodGone?.Invoke(gone);
        return Task.CompletedTask;
    }

    public Task<bool> PublishAsync(V1Pod pod, V1PodStatus status, CancellationToken ct)
    {
        if (!_pods.ContainsKey(pod.Metadata.Uid)) return Task.FromResult(false);
        Change(pod.Metadata.Uid, p => p.Status = status);
        return Task.FromResult(true);
    }

    public async Task<PodObjects> ReadObjectsAsync(V1Pod pod, CancellationToken ct)
    {
        InFlight = ct;
        await Objects;
        return new PodObjects(ConfigMaps, Secrets);
    }

    public Task<string> CreateTokenAsync(V1Pod pod, V1ServiceAccountTokenProjection projection, CancellationToken ct) => Task.FromResult("token-of-" + pod.Metadata.Name);

    public void Record(V1Pod pod, bool warning, string reason, string message) => Events.Enqueue($"{reason}: {message}");

    private void Change(string uid, Action<V1Pod> change) => Replace(uid, p =>
    {
        var copy = Copy(p);
        change(copy);
        return copy;
    });

    private void Replace(string uid, Func<V1Pod, V1Pod> replace)
    {
        V1Pod changed;
        lock (_lock)
        {
            if (!_pods.TryGetValue(uid, out var pod)) return;
            _pods[uid] = changed = replace(pod);
        }

        PodChanged?.Invoke(changed);
    }

    private static T Copy<T>(T value) => KubernetesJson.Deserialize<T>(KubernetesJson.Serialize(value));

    private static T Merge<T>(T value, JsonObject patch)
    {
        var node = JsonNode.Parse(KubernetesJson.Serialize(value))!.AsObject();
        MergeInto(node, patch);
        return KubernetesJson.Deserialize<T>(node.ToJsonString());
    }

    private static void MergeInto(JsonObject into, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null) into.Remove(name);
            else if (value is JsonObject child)
            {
                if (into[name] is not JsonObject) into[name] = new JsonObject();
                MergeInto(into[name]!.AsObject(), child);
            }
            else into[name] = value.DeepClone();
        }
    }
}
