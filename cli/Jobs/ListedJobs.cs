using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;
using Trestle.Cli.Output;

namespace Trestle.Cli.Jobs;

/// <summary>Objects of the API behind rows, for -o json, yaml and name.</summary>
internal static class ListedJobs
{
    public static IReadOnlyList<ListedObject> Active(JobSet jobs) =>
    [
        .. jobs.Groups.Where(group => !group.HasEnded()).Select(group => Of(group)),
        .. jobs.All.Where(job => !job.HasEnded()).Select(job => Of(job)),
        .. jobs.Services.Select(service => Of(service)),
    ];

    public static IReadOnlyList<ListedObject> Of(IEnumerable<TrainingJob> jobs) => [.. jobs.Select(job => Of(job))];

    public static ListedObject Of(IKubernetesObject<V1ObjectMeta> item) =>
        new(KindName(item), item.Metadata.Name, () => ToJson(item));

    private static string KindName(IKubernetesObject<V1ObjectMeta> item) => item switch
    {
        TrainingJob or JobGroup or InferenceService or Storage or SlurmCluster => $"{item.Kind.ToLowerInvariant()}.{ApiGroup.Name}",
        _ => item.Kind.ToLowerInvariant(),
    };

    // A secret's value was given by the user and still must not come out again.
    private static JsonNode ToJson(IKubernetesObject<V1ObjectMeta> item) => item switch
    {
        V1Secret secret => ToJson(new V1ConfigMap
        {
            ApiVersion = secret.ApiVersion,
            Kind = secret.Kind,
            Metadata = secret.Metadata,
            Data = secret.StringData?.Keys.ToDictionary(key => key, _ => "(hidden)", StringComparer.Ordinal),
        }),
        _ => JsonNode.Parse(ObjectJson.Text(item))!,
    };
}
