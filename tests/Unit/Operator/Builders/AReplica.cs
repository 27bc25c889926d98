using System.Globalization;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.Builders;

/// <summary>A pod of a replica as a sentence: <c>AReplica.Of(service, 1).On("n1").Ready().Build()</c>.</summary>
internal sealed class AReplica
{
    public const string Hash = "new";

    private readonly PodView _pod = new() { Status = new PodViewStatus { Phase = "Pending" } };

    private AReplica(InferenceService service, int replica, int node, string hash) => _pod.Metadata = new V1ObjectMeta
    {
        Name = Names.ReplicaPod(service.Metadata.Name, replica, node),
        NamespaceProperty = service.Metadata.NamespaceProperty,
        Uid = $"pod-{service.Metadata.Name}-{replica}-{node}",
        Labels = new Dictionary<string, string>
        {
            [Labels.Service] = service.Metadata.Name,
            [Labels.ServiceUid] = service.Metadata.Uid,
            [Labels.Component] = Labels.ReplicaComponent,
            [Labels.Replica] = replica.ToString(CultureInfo.InvariantCulture),
            [Labels.Rank] = node.ToString(CultureInfo.InvariantCulture),
            [Labels.TemplateHash] = hash,
        },
    };

    public static AReplica Of(InferenceService service, int replica = 0, int node = 0, string hash = Hash) => new(service, replica, node, hash);

    /// <summary>The gateway's pod, ready.</summary>
    public static PodView Gateway(InferenceService service, string hash = Hash)
    {
        var pod = Of(service, hash: hash).On("n1").Ready().Build();
        pod.Metadata.Name = Names.Gateway(service.Metadata.Name);
        pod.Metadata.Uid = pod.Metadata.Name;
        pod.Metadata.Labels[Labels.Component] = Labels.GatewayComponent;
        return pod;
    }

    public AReplica Gated() => With(pod => pod.Spec.SchedulingGates = [new PodSchedulingGateView { Name = Names.AdmissionGate }]);

    public AReplica On(string node) => With(pod => (pod.Spec.NodeName, pod.Status!.Phase) = (node, "Running"));

    public AReplica Ready() => With(pod => pod.Status!.Conditions = [new PodConditionView { Type = "Ready", Status = "True" }]);

    public AReplica Exited(int code, string? message = null) => On("n1").With(pod =>
    {
        pod.Status!.Phase = "Failed";
        pod.Status.ContainerStatuses = [new ContainerStatusView { Name = Names.EngineContainer, State = new ContainerStateView { Terminated = new TerminatedView { ExitCode = code, Message = message, Reason = "Error" } } }];
    });

    public AReplica Waiting(string reason, string message) => On("n1").With(pod =>
        pod.Status!.ContainerStatuses = [new ContainerStatusView { Name = Names.EngineContainer, State = new ContainerStateView { Waiting = new WaitingView { Reason = reason, Message = message } } }]);

    public AReplica Terminating(DateTimeOffset at) => With(pod => pod.Metadata.DeletionTimestamp = at.UtcDateTime);

    public AReplica With(Action<PodView> change)
    {
        change(_pod);
        return this;
    }

    public PodView Build() => _pod;
}
