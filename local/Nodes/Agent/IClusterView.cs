using k8s.Models;

namespace Trestle.Local.Nodes.Agent;

/// <summary>The watched part of the cluster: what it holds now, and a word when it changes.</summary>
public interface IClusterView
{
    /// <summary>All pods.</summary>
    IReadOnlyCollection<V1Pod> Pods { get; }

    /// <summary>All nodes.</summary>
    IReadOnlyCollection<V1Node> Nodes { get; }

    /// <summary>All services.</summary>
    IReadOnlyCollection<V1Service> Services { get; }

    /// <summary>A pod was added or changed.</summary>
    event Action<V1Pod>? PodChanged;

    /// <summary>A pod is gone.</summary>
    event Action<V1Pod>? PodGone;

    /// <summary>A node was added, changed or removed.</summary>
    event Action<string>? NodeChanged;

    /// <summary>A service was added, changed or removed.</summary>
    event Action? ServicesChanged;
}
