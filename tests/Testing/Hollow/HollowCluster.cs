using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using Trestle.Api.Crds;
using Trestle.Local.ApiServer;

namespace Trestle.Testing.Hollow;

/// <summary>
/// An API server with nodes that are objects alone, for what concerns objects and not processes: a real server when KUBECONFIG
/// names one, else the one-machine server.
/// </summary>
public sealed class HollowCluster : IAsyncDisposable
{
    /// <summary>GPUs of every node.</summary>
    public const int GpusPerNode = 8;

    private const string NodeLabel = "testing.trestle.dev/hollow";
    private const string JobSetGroup = "apis/jobset.x-k8s.io/v1alpha2";
    private const int Connections = 16;

    private readonly RunningApiServer? _own;
    private readonly TemporaryDirectory? _state;
    private readonly Kubernetes _client;

    private HollowCluster(string kubeconfig, RunningApiServer? own, TemporaryDirectory? state)
    {
        (Kubeconfig, _own, _state) = (kubeconfig, own, state);
        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig);
        _client = new Kubernetes(configuration);
        Http.BaseAddress = _client.BaseUri;
        if (configuration.AccessToken is { } token) Http.DefaultRequestHeaders.Authorization = new("Bearer", token);
    }

    public string Kubeconfig { get; }

    public HttpClient Http => _client.HttpClient;

    /// <summary>The peer is installed here.</summary>
    public bool HasJobSet { get; private set; }

    /// <summary>E.g. "Kubernetes v1.36.0" or "the one-machine API server".</summary>
    public string Description { get; private set; } = "the one-machine API server";

    /// <summary>Starts a server, or takes the one of the kubeconfig, installs our kinds, and makes so many nodes.</summary>
    public static async Task<HollowCluster> OpenAsync(int nodes, CancellationToken ct, string? kubeconfig = null)
    {
        var cluster = kubeconfig is null ? await StartAsync(ct) : new HollowCluster(kubeconfig, null, null);
        try
        {
            await cluster.PrepareAsync(nodes, ct);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The newest version of the store: it grows by one with every write of anybody.</summary>
    public async Task<long> VersionAsync(CancellationToken ct)
    {
        var list = await Http.ReadAsync("api/v1/namespaces/default/configmaps?limit=1", ct);
        return long.Parse((string)list!["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        if (_own is null)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            await Http.DeleteAsync($"api/v1/nodes?labelSelector={NodeLabel}=true", limit.Token);
        }

        _client.Dispose();
        if (_own is not null) await _own.DisposeAsync();
        _state?.Dispose();
    }

    private static async Task<HollowCluster> StartAsync(CancellationToken ct)
    {
        var state = new TemporaryDirectory();
        var server = await ApiServerHost.StartAsync(new ApiServerOptions { StateDirectory = state["state"] }, ct);
        return new HollowCluster(server.KubeconfigPath!, server, state);
    }

    private async Task PrepareAsync(int nodes, CancellationToken ct)
    {
        if (_own is null) Description = $"Kubernetes {(string?)(await Http.ReadAsync("version", ct))?["gitVersion"]}";
        foreach (var name in new[] { "default", "trestle-system" })
            await ApplyAsync($"api/v1/namespaces/{name}", $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{name}}}"}}""", ct);
        foreach (var crd in CrdManifests.All) await ApplyAsync($"apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd.Name}.trestle.dev", crd.Yaml, ct);
        foreach (var crd in CrdManifests.All) await ServedAsync($"apis/trestle.dev/v1alpha1/{crd.Name}?limit=1", ct);
        HasJobSet = await Http.ReadAsync($"{JobSetGroup}/jobsets?limit=1", ct) is not null;
        await Parallel.ForEachAsync(Enumerable.Range(0, nodes), new ParallelOptions { MaxDegreeOfParallelism = Connections, CancellationToken = ct }, async (node, token) => await MakeNodeAsync(node, token));
    }

    /// <summary>Name of a node.</summary>
    public static string Node(int number) => $"hollow-{number:000}";

    /// <summary>Says that a node is ready, or that it is not.</summary>
    public Task SetReadyAsync(int node, bool ready, CancellationToken ct) =>
        Http.MergeAsync($"api/v1/nodes/{Node(node)}/status", new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray(Ready(ready)) } }.ToJsonString(), ct);

    private static JsonObject Ready(bool holds) => new()
    {
        ["type"] = "Ready",
        ["status"] = holds ? "True" : "Unknown",
        ["reason"] = holds ? "KubeletReady" : "NodeStatusUnknown",
        ["message"] = "",
        ["lastHeartbeatTime"] = "2026-01-01T00:00:00Z",
        ["lastTransitionTime"] = "2026-01-01T00:00:00Z",
    };

    private async Task MakeNodeAsync(int number, CancellationToken ct)
    {
        var name = Node(number);
        await ApplyAsync($"api/v1/nodes/{name}", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Node",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["labels"] = new JsonObject { ["kubernetes.io/hostname"] = name, ["trestle.dev/accelerator"] = "H100", [NodeLabel] = "true" },
            },
        }.ToJsonString(), ct);
        JsonObject Amounts() => new() { ["cpu"] = "64", ["memory"] = "512Gi", ["pods"] = "110", ["nvidia.com/gpu"] = $"{GpusPerNode}" };
        await Http.MergeAsync($"api/v1/nodes/{name}/status", new JsonObject { ["status"] = new JsonObject { ["capacity"] = Amounts(), ["allocatable"] = Amounts(), ["conditions"] = new JsonArray(Ready(true)) } }.ToJsonString(), ct);

        // A real server taints every new node as not ready; its node controller, which may not run, lifts that.
        await Http.MergeAsync($"api/v1/nodes/{name}", """{"spec":{"taints":null}}""", ct);
    }

    private async Task ServedAsync(string path, CancellationToken ct) =>
        await Condition.UntilAsync($"{path} is served", async () => await Http.ReadAsync(path, ct) is not null);

    private async Task ApplyAsync(string path, string manifest, CancellationToken ct)
    {
        using var content = new StringContent(manifest, Encoding.UTF8, "application/apply-patch+yaml");
        using var answer = await Http.PatchAsync(new Uri($"{path}?fieldManager=trestle-hollow&force=true", UriKind.Relative), content, ct);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"PATCH {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(ct)}");
    }
}
