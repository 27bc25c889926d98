using System.Text.Json.Nodes;
using Trestle.Api.Crds;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Local.Nodes.Agent;
using Trestle.Local.Plane.Slurm;

namespace Trestle.Local.Plane;

/// <summary>What a fresh API server is given: namespaces, our kinds, and where storages of this machine live.</summary>
internal static class ClusterSetup
{
    private const string FieldManager = "trestle-local";

    /// <summary>Installs everything; doing it again changes nothing.</summary>
    public static async Task InstallAsync(KubeConnection api, PlaneSettings settings, CancellationToken ct)
    {
        foreach (var ns in new[] { "default", "kube-node-lease", Names.SystemNamespace }) await ApplyAsync(api, $"/api/v1/namespaces/{ns}", Object("v1", "Namespace", ns), ct);
        foreach (var crd in CrdManifests.All) await ApplyYamlAsync(api, $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd.Name}.trestle.dev", crd.Yaml, ct);
        var info = Object("v1", "ConfigMap", Names.InfoConfigMap);
        info["metadata"]!["namespace"] = Names.SystemNamespace;
        info["data"] = new JsonObject { ["kind"] = "local", [Names.InfoObjectRoot] = settings.Objects };
        await ApplyAsync(api, $"/api/v1/namespaces/{Names.SystemNamespace}/configmaps/{Names.InfoConfigMap}", info, ct);
    }

    /// <summary>Makes the object of a Slurm cluster as if it had never been seen: what an earlier start knew of it is not true any more.</summary>
    public static async Task AttachAsync(KubeConnection api, SlurmAttachment attachment, CancellationToken ct)
    {
        foreach (var (path, value) in SlurmClusterObjects.Of(attachment))
        {
            await ApplyAsync(api, path, value, ct);
            if ((string?)value["kind"] == SlurmCluster.KubeKind) await api.MergeAsync($"{path}/status", new JsonObject { ["status"] = null }, ct);
        }
    }

    private static Task ApplyAsync(KubeConnection api, string path, JsonObject value, CancellationToken ct) => ApplyYamlAsync(api, path, value.ToJsonString(), ct);

    private static Task ApplyYamlAsync(KubeConnection api, string path, string yaml, CancellationToken ct) =>
        api.SendTextAsync(HttpMethod.Patch, $"{path}?fieldManager={FieldManager}&force=true", yaml, "application/apply-patch+yaml", ct);

    private static JsonObject Object(string version, string kind, string name) => new() { ["apiVersion"] = version, ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = name } };
}
