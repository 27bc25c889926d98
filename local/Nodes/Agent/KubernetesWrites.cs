using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Trestle.Local.Nodes.Containers;
using Trestle.Local.Nodes.Pods;

namespace Trestle.Local.Nodes.Agent;

/// <summary>Writes of the agent over the Kubernetes API.</summary>
internal sealed class KubernetesWrites(KubeConnection api, TimeProvider time, ILogger log) : IClusterApi, IPodApi
{
    private const string Leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
    private readonly Channel<JsonObject> _events = Channel.CreateBounded<JsonObject>(new BoundedChannelOptions(500) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConcurrentDictionary<string, bool> _leases = [];

    public async Task EnsureNodeAsync(V1Node node, CancellationToken ct) =>
        await IgnoreAsync(() => api.SendAsync(HttpMethod.Post, "/api/v1/nodes", JsonNode.Parse(KubernetesJson.Serialize(node))!, ct), 409);

    public async Task RemoveNodeAsync(string name, CancellationToken ct)
    {
        await IgnoreAsync(() => api.SendAsync(HttpMethod.Delete, $"{Leases}/{name}", new JsonObject(), ct), 404);
        await IgnoreAsync(() => api.SendAsync(HttpMethod.Delete, $"/api/v1/nodes/{name}", new JsonObject(), ct), 404);
    }

    public Task PatchNodeAsync(string name, JsonObject patch, CancellationToken ct) => api.MergeAsync($"/api/v1/nodes/{name}", patch, ct);

    public Task PatchNodeStatusAsync(string name, JsonObject patch, CancellationToken ct) => api.MergeAsync($"/api/v1/nodes/{name}/status", new JsonObject { ["status"] = patch.DeepClone() }, ct);

    public async Task RenewLeaseAsync(string node, CancellationToken ct)
    {
        var spec = new JsonObject { ["holderIdentity"] = node, ["leaseDurationSeconds"] = 40, ["renewTime"] = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture) };
        if (_leases.TryAdd(node, true))
        {
            await IgnoreAsync(() => api.SendAsync(HttpMethod.Post, "/api/v1/namespaces", Named("v1", "Namespace", "kube-node-lease"), ct), 409);
            var lease = Named("coordination.k8s.io/v1", "Lease", node);
            lease["spec"] = spec.DeepClone();
            await IgnoreAsync(() => api.SendAsync(HttpMethod.Post, Leases, lease, ct), 409);
        }

        await api.MergeAsync($"{Leases}/{node}", new JsonObject { ["spec"] = spec }, ct);
    }

    public async Task<bool> BindAsync(V1Pod pod, string node, CancellationToken ct)
    {
        var binding = Named("v1", "Binding", pod.Metadata.Name);
        binding["metadata"]!["uid"] = pod.Metadata.Uid;
        binding["target"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = node };
        return await IgnoreAsync(() => api.SendAsync(HttpMethod.Post, Path(pod) + "/binding", binding, ct), 404, 409, 422, 400);
    }

    public async Task PatchPodStatusAsync(V1Pod pod, JsonObject status, CancellationToken ct) => await PatchStatusAsync(pod, status.DeepClone(), ct);

    public async Task EvictAsync(V1Pod pod, CancellationToken ct)
    {
        var eviction = Named("policy/v1", "Eviction", pod.Metadata.Name);
        eviction["metadata"]!["namespace"] = pod.Metadata.NamespaceProperty;
        // A cluster's eviction says so itself; whoever judges how the pod ended must know that it was asked to.
        await IgnoreAsync(() => api.SendAsync(HttpMethod.Patch, Path(pod) + "/status", Evicted(), ct, "application/strategic-merge-patch+json"), 404, 409);
        await IgnoreAsync(() => api.SendAsync(HttpMethod.Post, Path(pod) + "/eviction", eviction, ct), 404, 409);
    }

    public async Task RemoveAsync(V1Pod pod, CancellationToken ct)
    {
        var options = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "DeleteOptions", ["gracePeriodSeconds"] = 0, ["preconditions"] = new JsonObject { ["uid"] = pod.Metadata.Uid } };
        await IgnoreAsync(() => api.SendAsync(HttpMethod.Delete, Path(pod), options, ct), 404, 409);
    }

    // Conditions merge by type: those of others, e.g. of readiness gates, are theirs to write.
    public Task<bool> PublishAsync(V1Pod pod, V1PodStatus status, CancellationToken ct)
    {
        var body = JsonNode.Parse(KubernetesJson.Serialize(status))!;
        var known = (pod.Status?.Conditions ?? []).Select(condition => condition.Type).ToHashSet();
        var ours = status.Conditions.Where(condition => PodStatusBuilder.IsOwn(condition) || !known.Contains(condition.Type)).ToList();
        body["conditions"] = JsonNode.Parse(KubernetesJson.Serialize(ours));
        return PatchStatusAsync(pod, body, ct, "application/strategic-merge-patch+json");
    }

    public async Task<PodObjects> ReadObjectsAsync(V1Pod pod, CancellationToken ct)
    {
        var names = PodReferences.Of(pod);
        var root = $"/api/v1/namespaces/{pod.Metadata.NamespaceProperty}";
        return new PodObjects(await ReadAsync<V1ConfigMap>($"{root}/configmaps", names.ConfigMaps, ct), await ReadAsync<V1Secret>($"{root}/secrets", names.Secrets, ct));
    }

    public async Task<string> CreateTokenAsync(V1Pod pod, V1ServiceAccountTokenProjection projection, CancellationToken ct)
    {
        var account = pod.Spec.ServiceAccountName is { Length: > 0 } name ? name : "default";
        var spec = new JsonObject
        {
            ["expirationSeconds"] = projection.ExpirationSeconds ?? 3607,
            ["boundObjectRef"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["name"] = pod.Metadata.Name, ["uid"] = pod.Metadata.Uid },
        };
        if (projection.Audience is { Length: > 0 } audience) spec["audiences"] = new JsonArray(audience);
        try
        {
            var answer = await api.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{pod.Metadata.NamespaceProperty}/serviceaccounts/{account}/token", new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenRequest", ["spec"] = spec }, ct);
            return (string?)answer["status"]?["token"] ?? throw new KubeAnswerException(500, "", "the token request was answered without a token");
        }
        catch (KubeAnswerException e) when (e.Code == 404)
        {
            throw new ContainerConfigException($"serviceaccount \"{account}\" not found");
        }
    }

    public void Record(V1Pod pod, bool warning, string reason, string message)
    {
        var now = Text(time.GetUtcNow());
        _events.Writer.TryWrite(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject { ["generateName"] = pod.Metadata.Name + ".", ["namespace"] = pod.Metadata.NamespaceProperty },
            ["involvedObject"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["name"] = pod.Metadata.Name, ["namespace"] = pod.Metadata.NamespaceProperty, ["uid"] = pod.Metadata.Uid },
            ["reason"] = reason,
            ["message"] = message.Length > 1000 ? message[..1000] : message,
            ["type"] = warning ? "Warning" : "Normal",
            ["count"] = 1,
            ["firstTimestamp"] = now,
            ["lastTimestamp"] = now,
            ["source"] = new JsonObject { ["component"] = "kubelet", ["host"] = pod.Spec.NodeName ?? "" },
            ["reportingComponent"] = "kubelet",
            ["reportingInstance"] = pod.Spec.NodeName ?? "",
        });
    }

    /// <summary>Writes recorded events until cancelled; an event that can't be written is dropped.</summary>
    public async Task WriteEventsAsync(CancellationToken ct)
    {
        try
        {
            await foreach (var item in _events.Reader.ReadAllAsync(ct))
            {
                try
                {
                    await api.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{item["metadata"]!["namespace"]}/events", item, ct);
                }
                catch (Exception e) when (!ct.IsCancellationRequested && NodeApiErrors.IsPassing(e))
                {
                    NodeLog.EventDropped(log, e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    private JsonObject Evicted() => new()
    {
        ["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "DisruptionTarget",
                ["status"] = "True",
                ["reason"] = "EvictionByEvictionAPI",
                ["message"] = "Eviction API: evicting",
                ["lastTransitionTime"] = Text(time.GetUtcNow()),
            }),
        },
    };

    private static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Path(V1Pod pod) => $"/api/v1/namespaces/{pod.Metadata.NamespaceProperty}/pods/{pod.Metadata.Name}";

    private static JsonObject Named(string version, string kind, string name) => new() { ["apiVersion"] = version, ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = name } };

    private Task<bool> PatchStatusAsync(V1Pod pod, JsonNode status, CancellationToken ct, string type = "application/merge-patch+json") =>
        IgnoreAsync(() => api.SendAsync(HttpMethod.Patch, Path(pod) + "/status", new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = status }, ct, type), 404, 409);

    private async Task<Dictionary<string, T>> ReadAsync<T>(string path, IEnumerable<string> names, CancellationToken ct)
    {
        var found = new Dictionary<string, T>();
        foreach (var name in names)
        {
            if (await api.FindAsync($"{path}/{Uri.EscapeDataString(name)}", ct) is { } json) found[name] = KubernetesJson.Deserialize<T>(json.ToJsonString());
        }

        return found;
    }

    private static async Task<bool> IgnoreAsync(Func<Task<JsonObject>> request, params int[] codes)
    {
        try
        {
            await request();
            return true;
        }
        catch (KubeAnswerException e) when (codes.Contains(e.Code))
        {
            return false;
        }
    }
}
