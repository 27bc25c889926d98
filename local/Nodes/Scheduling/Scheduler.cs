using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Trestle.Local.Nodes.Agent;

namespace Trestle.Local.Nodes.Scheduling;

/// <summary>Binds pods that wait for a node. Remembers its own bindings until the watch shows them, so nothing is given out twice.</summary>
internal sealed class Scheduler(IClusterView view, IClusterApi api, TimeProvider time, ILogger log)
{
    private readonly Dictionary<string, (string Node, IReadOnlyDictionary<string, decimal> Asked)> _assumed = [];
    private readonly Dictionary<string, string> _said = [];

    /// <summary>One pass over all waiting pods, the most important and oldest first.</summary>
    public async Task PassAsync(CancellationToken ct)
    {
        var pods = view.Pods;
        var waiting = pods.Where(IsWaiting).OrderByDescending(p => p.Spec.Priority ?? 0).ThenBy(p => p.Metadata.CreationTimestamp).ThenBy(p => p.Metadata.Name, StringComparer.Ordinal).ToList();
        Forget(pods);
        if (waiting.Count == 0) return;
        var nodes = view.Nodes.Select(NodeCapacity.From).ToList();
        var used = Used(pods);
        foreach (var pod in waiting.Where(p => !_assumed.ContainsKey(p.Metadata.Uid))) await PlaceAsync(pod, nodes, used, ct);
    }

    private static bool IsWaiting(V1Pod pod) =>
        string.IsNullOrEmpty(pod.Spec.NodeName)
        && pod.Spec.SchedulingGates is not { Count: > 0 }
        && pod.Metadata.DeletionTimestamp is null
        && pod.Spec.SchedulerName is null or "" or "default-scheduler"
        && pod.Status?.Phase is not ("Succeeded" or "Failed");

    private async Task PlaceAsync(V1Pod pod, List<NodeCapacity> nodes, Dictionary<string, IReadOnlyDictionary<string, decimal>> used, CancellationToken ct)
    {
        var place = PodPlacement.Find(pod, nodes, used);
        if (place.Node is null)
        {
            await SayAsync(pod, place.Message, ct);
            return;
        }

        if (!await api.BindAsync(pod, place.Node, ct)) return;
        NodeLog.PodBound(log, Key(pod), place.Node);
        var asked = Resources.Of(pod);
        _assumed[pod.Metadata.Uid] = (place.Node, asked);
        _said.Remove(pod.Metadata.Uid);
        Add(used, place.Node, asked);
    }

    private async Task SayAsync(V1Pod pod, string message, CancellationToken ct)
    {
        if (_said.GetValueOrDefault(pod.Metadata.Uid) == message) return;
        NodeLog.PodUnschedulable(log, Key(pod), message);
        var before = pod.Status?.Conditions?.FirstOrDefault(c => c.Type == "PodScheduled");
        var since = before?.Status == "False" && before.LastTransitionTime is { } t ? t.ToUniversalTime() : time.GetUtcNow().UtcDateTime;
        var condition = new JsonObject { ["type"] = "PodScheduled", ["status"] = "False", ["reason"] = "Unschedulable", ["message"] = message, ["lastTransitionTime"] = since.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) };
        await api.PatchPodStatusAsync(pod, new JsonObject { ["phase"] = "Pending", ["conditions"] = new JsonArray(condition) }, ct);
        _said[pod.Metadata.Uid] = message;
    }

    private void Forget(IEnumerable<V1Pod> pods)
    {
        if (_assumed.Count == 0 && _said.Count == 0) return;
        var unbound = pods.Where(p => string.IsNullOrEmpty(p.Spec.NodeName)).Select(p => p.Metadata.Uid).ToHashSet();
        foreach (var uid in _assumed.Keys.Where(u => !unbound.Contains(u)).ToList()) _assumed.Remove(uid);
        foreach (var uid in _said.Keys.Where(u => !unbound.Contains(u)).ToList()) _said.Remove(uid);
    }

    private Dictionary<string, IReadOnlyDictionary<string, decimal>> Used(IEnumerable<V1Pod> pods)
    {
        var used = new Dictionary<string, IReadOnlyDictionary<string, decimal>>();
        foreach (var pod in pods.Where(p => !string.IsNullOrEmpty(p.Spec.NodeName) && p.Status?.Phase is not ("Succeeded" or "Failed"))) Add(used, pod.Spec.NodeName, Resources.Of(pod));
        foreach (var (node, asked) in _assumed.Values) Add(used, node, asked);
        return used;
    }

    private static void Add(Dictionary<string, IReadOnlyDictionary<string, decimal>> used, string node, IReadOnlyDictionary<string, decimal> asked)
    {
        if (!used.TryGetValue(node, out var sum)) used[node] = sum = new Dictionary<string, decimal>();
        Resources.Add((Dictionary<string, decimal>)sum, asked);
    }

    private static string Key(V1Pod pod) => $"{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}";
}
