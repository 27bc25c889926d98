using System.Text.Json.Nodes;
using k8s.Models;

namespace Trestle.Local.Nodes.Agent;

/// <summary>What the scheduler and the node lifecycle ask of the Kubernetes API.</summary>
public interface IClusterApi
{
    /// <summary>Creates a node unless it exists.</summary>
    Task EnsureNodeAsync(V1Node node, CancellationToken ct);

    /// <summary>Removes a node; one that is gone is no error.</summary>
    Task RemoveNodeAsync(string name, CancellationToken ct);

    /// <summary>Merge-patches a node.</summary>
    Task PatchNodeAsync(string name, JsonObject patch, CancellationToken ct);

    /// <summary>Merge-patches a node's status.</summary>
    Task PatchNodeStatusAsync(string name, JsonObject patch, CancellationToken ct);

    /// <summary>Says that a node lives.</summary>
    Task RenewLeaseAsync(string node, CancellationToken ct);

    /// <summary>Binds a pod to a node. False when it is gone, bound already, or no longer to be bound.</summary>
    Task<bool> BindAsync(V1Pod pod, string node, CancellationToken ct);

    /// <summary>Merge-patches a pod's status; a pod that is gone is no error.</summary>
    Task PatchPodStatusAsync(V1Pod pod, JsonObject status, CancellationToken ct);

    /// <summary>Evicts a pod; one that is gone is no error.</summary>
    Task EvictAsync(V1Pod pod, CancellationToken ct);

    /// <summary>Removes a pod without grace; one that is gone is no error.</summary>
    Task RemoveAsync(V1Pod pod, CancellationToken ct);
}
