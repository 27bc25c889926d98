using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.InferenceServices;

/// <summary>Names and labels of what a service consists of. Pure.</summary>
internal static class ServiceMetadata
{
    private static readonly ResourceKind ServiceKind = ResourceKind.Of<InferenceService>();

    /// <summary>Of an object that the service controls.</summary>
    public static V1ObjectMeta Of(InferenceService service, string name) => new()
    {
        Name = name,
        NamespaceProperty = service.Metadata.NamespaceProperty,
        OwnerReferences = [service.AsController(ServiceKind)],
        Labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Labels.ManagedBy] = Labels.ManagedByValue,
            [Labels.Service] = service.Metadata.Name,
            [Labels.ServiceUid] = service.Metadata.Uid,
        },
    };

    /// <summary>Labels by which pods of a part of the service are found.</summary>
    public static Dictionary<string, string> PodsOf(InferenceService service, string component) =>
        new(StringComparer.Ordinal) { [Labels.ServiceUid] = service.Metadata.Uid, [Labels.Component] = component };

    /// <summary>Labels by which the leaders of its replicas are found.</summary>
    public static Dictionary<string, string> Leaders(InferenceService service) => new(PodsOf(service, Labels.ReplicaComponent)) { [Labels.Rank] = "0" };
}
