using System.Collections.Concurrent;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Trestle.Local.Nodes.Agent;

/// <summary>Registers the nodes, beats for them, and acts on faults that are asked for by annotation.</summary>
internal sealed class NodeLifecycle(NodesOptions options, IClusterView view, IClusterApi api, PodFleet fleet, bool memoryEnforced, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan StatusEvery = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan PassEvery = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _failedAt = [];
    private readonly Dictionary<string, DateTimeOffset> _statusAt = [];

    /// <summary>Makes sure every node exists and says what it has; a node that was failed stays failed, one of an earlier start that had more goes.</summary>
    public async Task RegisterAsync(CancellationToken ct)
    {
        foreach (var node in view.Nodes.Where(n => NodeObjects.IsVirtual(n) && !NodeObjects.Names(options).Contains(n.Metadata.Name))) await RetireAsync(node.Metadata.Name, ct);
        foreach (var name in NodeObjects.Names(options))
        {
            await api.EnsureNodeAsync(NodeObjects.New(options, name), ct);
            await api.PatchNodeAsync(name, NodeObjects.Declaration(options, name, memoryEnforced), ct);
            NodeLog.NodeRegistered(log, name);
        }
    }

    /// <summary>Called at once when a node changes, so that a failure is not slower than it has to be.</summary>
    public async Task LookAsync(string name)
    {
        if (Find(name) is not { } node || NodeObjects.FaultOf(node) != "fail" || !_failedAt.TryAdd(name, time.GetUtcNow())) return;
        NodeLog.NodeFault(log, name, "failed on demand: its processes are killed");
        await fleet.FailAsync(name);
    }

    /// <summary>One pass over the nodes; gives when the next one is due.</summary>
    public async Task<TimeSpan> PassAsync(CancellationToken ct)
    {
        var next = PassEvery;
        foreach (var name in NodeObjects.Names(options))
        {
            if (Find(name) is { } node) next = Earlier(next, await PassAsync(node, ct));
            else await api.EnsureNodeAsync(NodeObjects.New(options, name), ct);
        }

        return next;
    }

    /// <summary>Beats for every node that has not failed.</summary>
    public async Task BeatAsync(CancellationToken ct)
    {
        foreach (var name in NodeObjects.Names(options).Where(n => !_failedAt.ContainsKey(n)))
        {
            await api.RenewLeaseAsync(name, ct);
        }
    }

    private async Task RetireAsync(string name, CancellationToken ct)
    {
        await DeclarePodsLostAsync(name, ct);
        await api.RemoveNodeAsync(name, ct);
        NodeLog.NodeRetired(log, name);
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private async Task<TimeSpan> PassAsync(V1Node node, CancellationToken ct)
    {
        switch (NodeObjects.FaultOf(node))
        {
            case "fail":
                await LookAsync(node.Metadata.Name);
                return await DeclareLostAsync(node, ct);
            case "drain":
                await RestoreAsync(node, cordon: true, ct);
                await EvictAllAsync(node.Metadata.Name, ct);
                break;
            default:
                await RestoreAsync(node, cordon: false, ct);
                break;
        }

        return PassEvery;
    }

    // What is due of: the node is seen to be gone, its pods are given up. Gives when the rest is.
    private async Task<TimeSpan> DeclareLostAsync(V1Node node, CancellationToken ct)
    {
        if (!_failedAt.TryGetValue(node.Metadata.Name, out var at)) return TimeSpan.Zero; // restored meanwhile
        var since = time.GetUtcNow() - at;
        if (since < options.DetectionTime) return options.DetectionTime - since;
        await DeclareNodeLostAsync(node, ct);
        if (since < options.Toleration) return options.Toleration - since;
        await DeclarePodsLostAsync(node.Metadata.Name, ct);
        return PassEvery;
    }

    private async Task DeclareNodeLostAsync(V1Node node, CancellationToken ct)
    {
        var name = node.Metadata.Name;
        if (NodeObjects.IsReady(node)) await api.PatchNodeStatusAsync(name, NodeObjects.LostStatus(node, time.GetUtcNow()), ct);
        if (NodeObjects.SpecPatch(node, unreachable: true, cordon: false, time.GetUtcNow()) is { } patch) await api.PatchNodeAsync(name, patch, ct);
        _statusAt.Remove(name);
    }

    private async Task DeclarePodsLostAsync(string name, CancellationToken ct)
    {
        foreach (var pod in view.Pods.Where(p => p.Spec.NodeName == name))
        {
            if (pod.Metadata.DeletionTimestamp is not null) await api.RemoveAsync(pod, ct);
            else if (pod.Status?.Phase is not ("Succeeded" or "Failed")) await api.PatchPodStatusAsync(pod, NodeObjects.LostPodStatus(pod, time.GetUtcNow()), ct);
        }
    }

    private async Task RestoreAsync(V1Node node, bool cordon, CancellationToken ct)
    {
        var name = node.Metadata.Name;
        if (_failedAt.ContainsKey(name))
        {
            // The failure may be newer than the node this pass looked at.
            if (Find(name) is not { } newest || NodeObjects.FaultOf(newest) == "fail") return;

            // Pods of the time of the failure must be declared lost before the node can be well again.
            await DeclareNodeLostAsync(node, ct);
            await DeclarePodsLostAsync(name, ct);
            await fleet.RestoreAsync(name, view.Pods);
            _failedAt.TryRemove(name, out _);
            NodeLog.NodeFault(log, name, "restored");
        }

        if (NodeObjects.SpecPatch(node, unreachable: false, cordon, time.GetUtcNow()) is { } patch) await api.PatchNodeAsync(name, patch, ct);
        var now = time.GetUtcNow();
        if (NodeObjects.IsReady(node) && _statusAt.TryGetValue(name, out var last) && now - last < StatusEvery) return;
        await api.PatchNodeStatusAsync(name, NodeObjects.ReadyStatus(options, name, node, now), ct);
        _statusAt[name] = now;
    }

    private async Task EvictAllAsync(string name, CancellationToken ct)
    {
        foreach (var pod in view.Pods.Where(p => p.Spec.NodeName == name && p.Metadata.DeletionTimestamp is null && p.Status?.Phase is not ("Succeeded" or "Failed")))
        {
            NodeLog.NodeFault(log, name, $"drained: evicting {pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}");
            await api.EvictAsync(pod, ct);
        }
    }

    private V1Node? Find(string name) => view.Nodes.FirstOrDefault(n => n.Metadata.Name == name);
}
