using System.Security.Cryptography;
using System.Text;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.InferenceServices;

/// <summary>A service → what it consists of beside pods. Pure but for the token; each is controlled by the service.</summary>
// The rights of gateways: nobody may give what he has not got himself.
[EntityRbac(ApiGroup.Name, "inferenceservices", "get,list,watch")]
[EntityRbac(ApiGroup.Name, "inferenceservices/status", "patch")]
[EntityRbac("", "pods", "get,list,watch")]
[EntityRbac("", "pods/status", "patch")]
internal static class ServiceObjects
{
    private const string RbacGroup = "rbac.authorization.k8s.io";
    private const int TokenBytes = 32;

    /// <summary>By which the filters know the gateway: 32 random bytes, in hexadecimal.</summary>
    public static V1Secret Token(InferenceService service) => new()
    {
        ApiVersion = "v1",
        Kind = "Secret",
        Metadata = ServiceMetadata.Of(service, Names.Gateway(service.Metadata.Name)),
        Data = new Dictionary<string, byte[]> { [GatewayProgram.TokenKey] = Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(TokenBytes * 2, lowercase: true)) },
    };

    /// <summary>Who the gateway is.</summary>
    public static V1ServiceAccount Account(InferenceService service) => new()
    {
        ApiVersion = "v1",
        Kind = "ServiceAccount",
        Metadata = ServiceMetadata.Of(service, Names.Gateway(service.Metadata.Name)),
        AutomountServiceAccountToken = false, // its pod asks for the token itself
    };

    /// <summary>What the gateway may do.</summary>
    public static V1Role Role(InferenceService service) => new()
    {
        ApiVersion = RbacGroup + "/v1",
        Kind = "Role",
        Metadata = ServiceMetadata.Of(service, Names.Gateway(service.Metadata.Name)),
        Rules =
        [
            Rule(ApiGroup.Name, InferenceService.KubePlural, "get", "list", "watch"),
            Only(service.Metadata.Name, Rule(ApiGroup.Name, InferenceService.KubePlural + "/status", "patch")),
            Rule("", "pods", "get", "list", "watch"),
            Rule("", "pods/status", "patch"),
        ],
    };

    /// <summary>Gives the gateway its rights.</summary>
    public static V1RoleBinding Binding(InferenceService service) => new()
    {
        ApiVersion = RbacGroup + "/v1",
        Kind = "RoleBinding",
        Metadata = ServiceMetadata.Of(service, Names.Gateway(service.Metadata.Name)),
        RoleRef = new V1RoleRef { ApiGroup = RbacGroup, Kind = "Role", Name = Names.Gateway(service.Metadata.Name) },
        Subjects = [new Rbacv1Subject { Kind = "ServiceAccount", Name = Names.Gateway(service.Metadata.Name), NamespaceProperty = service.Metadata.NamespaceProperty }],
    };

    /// <summary>The Services, by which clients, trainers and nodes find their way.</summary>
    public static IEnumerable<V1Service> Services(InferenceService service)
    {
        var gateway = ServiceMetadata.PodsOf(service, Labels.GatewayComponent);
        var name = service.Metadata.Name;
        yield return Service(service, name, gateway, Port("http", 80, ServicePorts.Public), Port("http-direct", ServicePorts.Public));
        if (service.Spec.Weights?.Source?.Type == WeightsSourceType.Trainer) yield return Service(service, Names.WeightsService(name), gateway, Port("http", 80, ServicePorts.Weights), Port("http-direct", ServicePorts.Weights));
        yield return Headless(Service(service, Names.ReplicasService(name), ServiceMetadata.Leaders(service), Port("http", ServicePorts.Filter)), early: false);
        if (service.NodesPerReplica > 1)
            yield return Headless(Service(service, Names.NodesService(name), ServiceMetadata.PodsOf(service, Labels.ReplicaComponent), Port("rendezvous", ServicePorts.Rendezvous)), early: true);
    }

    /// <summary>Keeps drains of nodes from taking more replicas at a time than a rollout may.</summary>
    /// <param name="service">The service.</param>
    /// <param name="fewest">Ready replicas that must stay.</param>
    public static V1PodDisruptionBudget Budget(InferenceService service, int fewest) => new()
    {
        ApiVersion = "policy/v1",
        Kind = "PodDisruptionBudget",
        Metadata = ServiceMetadata.Of(service, service.Metadata.Name),
        Spec = new V1PodDisruptionBudgetSpec { MinAvailable = fewest, Selector = new V1LabelSelector { MatchLabels = ServiceMetadata.Leaders(service) } },
    };

    private static V1Service Service(InferenceService service, string name, Dictionary<string, string> selector, params V1ServicePort[] ports) => new()
    {
        ApiVersion = "v1",
        Kind = "Service",
        Metadata = ServiceMetadata.Of(service, name),
        Spec = new V1ServiceSpec { Selector = selector, Ports = ports },
    };

    private static V1Service Headless(V1Service service, bool early)
    {
        (service.Spec.ClusterIP, service.Spec.PublishNotReadyAddresses) = ("None", early ? true : null);
        return service;
    }

    private static V1ServicePort Port(string name, int port, int? target = null) => new() { Name = name, Port = port, TargetPort = target ?? port, Protocol = "TCP" };

    private static V1PolicyRule Rule(string group, string resource, params string[] verbs) => new() { ApiGroups = [group], Resources = [resource], Verbs = verbs };

    private static V1PolicyRule Only(string name, V1PolicyRule rule)
    {
        rule.ResourceNames = [name];
        return rule;
    }
}
