using System.Text.Json.Nodes;
using Trestle.Api.Crds;
using Trestle.Local.Nodes.Agent;

namespace Trestle.Local.Plane;

/// <summary>What a fresh API server is given: namespaces, our kinds, and where storages of this machine live.</summary>
internal static class ClusterSetup
{
    private const string SystemNamespace = "trestle-system";
    private const string FieldManager = "trestle-local";

    /// <summary>Installs everything; doing it again changes nothing.</summary>
    public static async Task InstallAsync(KubeConnection api, PlaneDirectory directory, CancellationToken ct)
    {
        foreach (var ns in new[] { "default", "kube-node-lease", SystemNamespace }) await ApplyAsync(api, $"/api/v1/namespaces/{ns}", Object("v1", "Namespace", ns), ct);
        foreach (var crd in CrdManifests.All) await ApplyYamlAsync(api, $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd.Name}.trestle.dev", crd.Yaml, ct);
        var info = Object("v1", "ConfigMap", "trestle-info");
        info["metadata"]!["namespace"] = SystemNamespace;
        info["data"] = new JsonObject { ["kind"] = "local", ["objectRoot"] = directory.Objects };
        await ApplyAsync(api, $"/api/v1/namespaces/{SystemNamespace}/configmaps/trestle-info", info, ct);
    }

    private static Task ApplyAsync(KubeConnection api, string path, JsonObject value, CancellationToken ct) => ApplyYamlAsync(api, path, value.ToJsonString(), ct);

    private static Task ApplyYamlAsync(KubeConnection api, string path, string yaml, CancellationToken ct) =>
        api.SendTextAsync(HttpMethod.Patch, $"{path}?fieldManager={FieldManager}&force=true", yaml, "application/apply-patch+yaml", ct);

    private static JsonObject Object(string version, string kind, string name) => new() { ["apiVersion"] = version, ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = name } };
}
