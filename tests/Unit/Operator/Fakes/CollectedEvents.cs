using k8s;
using k8s.Models;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Fakes;

/// <summary>Events in the order they were told.</summary>
internal sealed class CollectedEvents : IEventRecorder
{
    public List<(string About, bool Warning, string Reason, string Message)> All { get; } = [];

    public void Record(IKubernetesObject<V1ObjectMeta> about, bool warning, string reason, string message) => All.Add((about.Metadata.Name, warning, reason, message));
}
