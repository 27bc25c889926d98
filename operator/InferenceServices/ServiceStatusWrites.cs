using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.InferenceServices;

/// <summary>
/// Writes the operator's fields of a status and leaves the gateway's as they are: each has its own, and a merge patch of those
/// overwrites nothing of the other.
/// </summary>
internal static class ServiceStatusWrites
{
    private static readonly string[] Fields = ["observedGeneration", "phase", "reason", "message", "replicas", "readyReplicas", "desiredReplicas", "selector", "url", "weightsUrl", "conditions"];

    /// <summary>The operator's fields; those that are absent are null, so that a merge patch removes them.</summary>
    public static JsonObject Own(InferenceServiceStatus? status)
    {
        var all = status is null ? [] : JsonSerializer.SerializeToNode(status, TrestleJson.Default.InferenceServiceStatus)!.AsObject();
        return new JsonObject(Fields.Select(field => KeyValuePair.Create(field, all[field]?.DeepClone())));
    }

    /// <summary>Merges a body into the status of an object.</summary>
    public static Task<T> MergeStatusAsync<T>(this IKubeApi api, ObjectKey key, JsonObject status, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        api.PatchAsync<T>(key, new Patch(PatchKind.Merge, new JsonObject { ["status"] = status }) { Subresource = "status", FieldManager = Names.FieldManager }, ct);
}
