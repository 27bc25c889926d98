using k8s.Models;
using Trestle.Local.Nodes.Containers;

namespace Trestle.Local.Nodes.Pods;

/// <summary>What a pod worker asks of the Kubernetes API.</summary>
public interface IPodApi
{
    /// <summary>Writes a pod's status. False when the pod (with this uid) is gone.</summary>
    Task<bool> PublishAsync(V1Pod pod, V1PodStatus status, CancellationToken ct);

    /// <summary>Removes a pod whose containers have ended.</summary>
    Task RemoveAsync(V1Pod pod, CancellationToken ct);

    /// <summary>Reads the ConfigMaps and Secrets a pod refers to; missing ones are left out.</summary>
    Task<PodObjects> ReadObjectsAsync(V1Pod pod, CancellationToken ct);

    /// <summary>Makes a service account token bound to the pod.</summary>
    Task<string> CreateTokenAsync(V1Pod pod, V1ServiceAccountTokenProjection projection, CancellationToken ct);

    /// <summary>Records an event of the pod.</summary>
    void Record(V1Pod pod, bool warning, string reason, string message);
}
