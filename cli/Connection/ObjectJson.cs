using System.Text.Json;
using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Connection;

/// <summary>Objects as the API takes them.</summary>
internal static class ObjectJson
{
    public static string Text(IKubernetesObject<V1ObjectMeta> item) => item switch
    {
        TrainingJob job => JsonSerializer.Serialize(job, TrestleJson.Default.TrainingJob),
        JobGroup group => JsonSerializer.Serialize(group, TrestleJson.Default.JobGroup),
        Storage storage => JsonSerializer.Serialize(storage, TrestleJson.Default.Storage),
        InferenceService service => JsonSerializer.Serialize(service, TrestleJson.Default.InferenceService),
        SlurmCluster cluster => JsonSerializer.Serialize(cluster, TrestleJson.Default.SlurmCluster),
        V1ConfigMap map => JsonSerializer.Serialize(map, TrestleJson.Default.V1ConfigMap),
        V1Secret secret => JsonSerializer.Serialize(secret, TrestleJson.Default.V1Secret),
        _ => KubernetesJson.Serialize(item),
    };
}
