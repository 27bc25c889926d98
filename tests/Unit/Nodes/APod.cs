using k8s.Models;

namespace Trestle.Local.Nodes.Tests;

/// <summary>Fluent pods for tests.</summary>
internal sealed class APod
{
    private readonly V1Pod _pod;

    public APod(string name = "p")
    {
        _pod = new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default", Uid = name + "-uid", Generation = 1 },
            Spec = new V1PodSpec { RestartPolicy = "Never", Containers = [], InitContainers = [], Volumes = [], TerminationGracePeriodSeconds = 30 },
        };
    }

    public APod Policy(string policy) => With(p => p.Spec.RestartPolicy = policy);

    public APod Main(string name, params string[] command) => With(p => p.Spec.Containers.Add(new V1Container { Name = name, Image = "x", Command = command }));

    public APod Init(string name, params string[] command) => With(p => p.Spec.InitContainers.Add(new V1Container { Name = name, Image = "x", Command = command }));

    public APod Sidecar(string name, params string[] command) => With(p => p.Spec.InitContainers.Add(new V1Container { Name = name, Image = "x", Command = command, RestartPolicy = "Always" }));

    public APod Asking(string resource, string amount) => With(p => p.Spec.Containers[0].Resources = new V1ResourceRequirements
    {
        Requests = new Dictionary<string, ResourceQuantity>(p.Spec.Containers[0].Resources?.Requests ?? new Dictionary<string, ResourceQuantity>()) { [resource] = new ResourceQuantity(amount) },
    });

    public APod Selecting(string key, string value) => With(p => p.Spec.NodeSelector = new Dictionary<string, string>(p.Spec.NodeSelector ?? new Dictionary<string, string>()) { [key] = value });

    public APod Deleted(DateTimeOffset deadline) => With(p => p.Metadata.DeletionTimestamp = deadline.UtcDateTime);

    public APod On(string node) => With(p => p.Spec.NodeName = node);

    public APod With(Action<V1Pod> change)
    {
        change(_pod);
        return this;
    }

    public V1Pod Build() => _pod;
}
