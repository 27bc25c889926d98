using k8s;
using k8s.Models;

namespace Trestle.Runtime;

/// <summary>Tells people what happened to an object. Never blocks and never fails the caller.</summary>
public interface IEventRecorder
{
    /// <summary>Records an event.</summary>
    /// <param name="about">The object.</param>
    /// <param name="warning">Something went wrong.</param>
    /// <param name="reason">One CamelCase word.</param>
    /// <param name="message">One sentence; cut at 1,024 characters.</param>
    void Record(IKubernetesObject<V1ObjectMeta> about, bool warning, string reason, string message);
}
