using System.Text.Json.Nodes;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.InferenceServices;

/// <summary>
/// The replicas of a service as they are now, in a ConfigMap that jobs of its group find as a file. A version is not in it: it would be
/// written with every update of weights. Pure.
/// </summary>
internal static class ServiceEndpoints
{
    /// <summary>The ConfigMap.</summary>
    public static V1ConfigMap Of(InferenceService service, IEnumerable<Replica> replicas) => new()
    {
        ApiVersion = "v1",
        Kind = "ConfigMap",
        Metadata = ServiceMetadata.Of(service, Names.EndpointsConfigMap(service.Metadata.Name)),
        Data = new Dictionary<string, string> { [Paths.EndpointsFile] = Text(service, replicas) },
    };

    private static string Text(InferenceService service, IEnumerable<Replica> replicas)
    {
        // With a key the gateway alone may ask them.
        var asked = service.Spec.Auth?.ApiKeySecretRef is null ? replicas : [];
        var file = new JsonObject { ["url"] = service.Url, ["weightsUrl"] = service.WeightsUrl, ["model"] = service.ServedName, ["replicas"] = new JsonArray([.. asked.Select(One).OfType<JsonNode>()]) };
        return file.ToJsonString();
    }

    private static JsonObject? One(Replica replica) => replica.Leader is not { Status.PodIP: { Length: > 0 } address } leader ? null : new JsonObject
    {
        ["name"] = leader.Metadata.Name,
        ["url"] = $"http://{(address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address)}:{InferenceFacts.Text(ServicePorts.Filter)}",
        ["ready"] = replica.IsReady,
    };
}
