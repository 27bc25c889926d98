using k8s;
using k8s.Models;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>Objects of a kind that the cluster may not have.</summary>
internal interface IOptionalCache<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>The cluster has the kind, and all objects are here.</summary>
    bool IsServed { get; }

    /// <summary>Empty while it is not served.</summary>
    IObjectCache<T> Cache { get; }
}
