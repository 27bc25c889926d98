using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Manifests;

/// <summary>The kinds that a manifest may hold.</summary>
internal static class ManifestKinds
{
    private static readonly Dictionary<string, (string ApiVersion, JsonTypeInfo Type)> Known = new(StringComparer.Ordinal)
    {
        [TrainingJob.KubeKind] = (ApiGroup.ApiVersion, TrestleJson.Default.TrainingJob),
        [JobGroup.KubeKind] = (ApiGroup.ApiVersion, TrestleJson.Default.JobGroup),
        [InferenceService.KubeKind] = (ApiGroup.ApiVersion, TrestleJson.Default.InferenceService),
        [Storage.KubeKind] = (ApiGroup.ApiVersion, TrestleJson.Default.Storage),
        [SlurmCluster.KubeKind] = (ApiGroup.ApiVersion, TrestleJson.Default.SlurmCluster),
        ["ConfigMap"] = ("v1", TrestleJson.Default.V1ConfigMap),
        ["Secret"] = ("v1", TrestleJson.Default.V1Secret),
    };

    public static IReadOnlyCollection<string> Names => Known.Keys;

    public static bool TryFind(string kind, out (string ApiVersion, JsonTypeInfo Type) found) => Known.TryGetValue(kind, out found);

    /// <summary>As the API takes it, with what identifies it first.</summary>
    public static JsonObject ToJson(IKubernetesObject<V1ObjectMeta> item)
    {
        var (kind, known) = Known.First(known => known.Value.Type.Type == item.GetType());
        var written = JsonSerializer.SerializeToNode(item, known.Type)!.AsObject();
        var ordered = new JsonObject { ["apiVersion"] = known.ApiVersion, ["kind"] = kind, ["metadata"] = new JsonObject() };
        foreach (var (key, value) in written.ToArray())
        {
            if (key is not ("apiVersion" or "kind"))
            {
                written.Remove(key);
                ordered[key] = value;
            }
        }

        return ordered;
    }
}
