using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.InferenceServices;

/// <summary>
/// Who may reach the gateway: clients and probes their ports; the port for weights, which knows no login, pods of the service's group,
/// or of its namespace when it is in none. Pure.
/// </summary>
internal static class GatewayNetwork
{
    /// <summary>The policy.</summary>
    public static V1NetworkPolicy Policy(InferenceService service)
    {
        var trainers = new Dictionary<string, string>();
        if (service.TaskGroup is { } group) trainers[Labels.JobGroup] = group;
        return new V1NetworkPolicy
        {
            ApiVersion = "networking.k8s.io/v1",
            Kind = "NetworkPolicy",
            Metadata = ServiceMetadata.Of(service, Names.Gateway(service.Metadata.Name)),
            Spec = new V1NetworkPolicySpec
            {
                PodSelector = new V1LabelSelector { MatchLabels = ServiceMetadata.PodsOf(service, Labels.GatewayComponent) },
                PolicyTypes = ["Ingress"],
                Ingress =
                [
                    new V1NetworkPolicyIngressRule { Ports = [Port(ServicePorts.Public), Port(ServicePorts.Health)] },
                    new V1NetworkPolicyIngressRule { FromProperty = [new V1NetworkPolicyPeer { PodSelector = new V1LabelSelector { MatchLabels = trainers } }], Ports = [Port(ServicePorts.Weights)] },
                ],
            },
        };
    }

    private static V1NetworkPolicyPort Port(int port) => new() { Port = port, Protocol = "TCP" };
}
