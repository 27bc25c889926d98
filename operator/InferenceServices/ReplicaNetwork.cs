using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.InferenceServices;

/// <summary>
/// Who may reach the replicas: clients the filter, unless they need a key, which the gateway alone asks for; the gateway its
/// control port; nodes of replicas each other, and a trainer that sends weights all nodes, on any port but those two, as NCCL
/// takes the ports it likes. Pure.
/// </summary>
internal static class ReplicaNetwork
{
    private const int LastPort = 65535;

    /// <summary>The policy; null when everything is open to everybody.</summary>
    public static V1NetworkPolicy? Policy(InferenceService service)
    {
        if (service.Spec.Auth is { IsolateAdmin: false, ApiKeySecretRef: null }) return null;
        var others = new List<V1NetworkPolicyPeer> { Pods(ServiceMetadata.PodsOf(service, Labels.ReplicaComponent)) };
        if (service.UsesNccl) others.Add(Pods(service.TaskGroup is { } group ? new Dictionary<string, string> { [Labels.JobGroup] = group } : []));
        var rules = new List<V1NetworkPolicyIngressRule>
        {
            new() { FromProperty = [Pods(ServiceMetadata.PodsOf(service, Labels.GatewayComponent))], Ports = [Ports(ServicePorts.Filter, ServicePorts.Control)] },
            new() { FromProperty = others, Ports = [Ports(1, ServicePorts.Filter - 1), Ports(ServicePorts.Control + 1, LastPort)] },
        };
        if (service.Spec.Auth?.ApiKeySecretRef is null) rules.Add(new V1NetworkPolicyIngressRule { Ports = [Ports(ServicePorts.Filter, null)] });
        return new V1NetworkPolicy
        {
            ApiVersion = "networking.k8s.io/v1",
            Kind = "NetworkPolicy",
            Metadata = ServiceMetadata.Of(service, Names.ReplicasService(service.Metadata.Name)),
            Spec = new V1NetworkPolicySpec
            {
                PodSelector = new V1LabelSelector { MatchLabels = ServiceMetadata.PodsOf(service, Labels.ReplicaComponent) },
                PolicyTypes = ["Ingress"],
                Ingress = rules,
            },
        };
    }

    private static V1NetworkPolicyPeer Pods(Dictionary<string, string> labels) => new() { PodSelector = new V1LabelSelector { MatchLabels = labels } };

    private static V1NetworkPolicyPort Ports(int first, int? last) => new() { Port = first, EndPort = last, Protocol = "TCP" };
}
