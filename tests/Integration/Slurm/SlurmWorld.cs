using System.Text;
using System.Text.Json.Nodes;
using Trestle.Testing;
using Trestle.Testing.Hollow;
using SlurmCluster = Trestle.Testing.Slurm.SlurmCluster;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>An API server, the operator and the bridge as programs, and a real Slurm that namespace default may use as user A.</summary>
internal sealed class SlurmWorld : IAsyncDisposable
{
    private const string Jobs = "apis/trestle.dev/v1alpha1/namespaces/default/trainingjobs";
    private readonly HollowCluster _cluster;
    private readonly OperatorProcess _operator;

    private SlurmWorld(HollowCluster cluster, SlurmCluster slurm)
    {
        (_cluster, Slurm) = (cluster, slurm);
        _operator = OperatorProcess.Start(cluster.Kubeconfig);
        Bridge = BridgeProcess.Start(cluster.Kubeconfig);
    }

    public SlurmCluster Slurm { get; }

    public BridgeProcess Bridge { get; private set; }

    public HttpClient Api => _cluster.Http;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<SlurmWorld> OpenAsync(SlurmCluster slurm)
    {
        var world = new SlurmWorld(await HollowCluster.OpenAsync(0, Ct), slurm);
        await world.SecretAsync("trestle-system", "key", "ssh-privatekey", slurm.A.Ed25519Key);
        await world.SecretAsync("trestle-system", "pins", "known_hosts", slurm.KnownHosts);
        await world.Api.CreateAsync("apis/trestle.dev/v1alpha1/slurmclusters", JsonNode.Parse($$"""
            {
              "apiVersion": "trestle.dev/v1alpha1", "kind": "SlurmCluster", "metadata": { "name": "alps" },
              "spec": {
                "ssh": { "host": "{{slurm.Host}}", "port": {{slurm.Port}}, "knownHostsSecretRef": { "name": "pins" } },
                "users": [{ "namespaces": ["default"], "user": "{{slurm.A.Name}}", "keySecretRef": { "name": "key" } }],
                "poll": { "interval": "1s" }
              }
            }
            """)!, Ct);
        return world;
    }

    public Task SecretAsync(string ns, string name, string key, string value) => Api.CreateAsync($"api/v1/namespaces/{ns}/secrets", new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["data"] = new JsonObject { [key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value)) },
    }, Ct);

    /// <summary>Creates a job of two nodes that goes to Slurm.</summary>
    public Task SubmitAsync(string name, string run, Action<JsonObject>? change = null)
    {
        var spec = new JsonObject
        {
            ["nodes"] = 2,
            ["run"] = run,
            ["placement"] = new JsonArray(new JsonObject { ["slurm"] = new JsonObject { ["cluster"] = "alps" } }),
        };
        change?.Invoke(spec);
        return Api.CreateAsync(Jobs, new JsonObject { ["apiVersion"] = "trestle.dev/v1alpha1", ["kind"] = "TrainingJob", ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec }, Ct);
    }

    public async Task<JsonNode> StatusAsync(string name) => (await Api.ReadAsync($"{Jobs}/{name}", Ct))?["status"] ?? new JsonObject();

    public Task CancelAsync(string name) => Api.MergeAsync($"{Jobs}/{name}", """{"metadata":{"annotations":{"trestle.dev/cancel":"true"}}}""", Ct);

    public async Task<JsonNode> UntilAsync(string name, string phase)
    {
        var status = await StatusAsync(name);
        await Condition.UntilAsync($"{name} is {phase}", async () => (string?)(status = await StatusAsync(name))["phase"] == phase, TimeSpan.FromMinutes(2), async () => $"{status.ToJsonString()}\n{await ExplainAsync()}");
        return status;
    }

    public async Task KillBridgeAsync()
    {
        Bridge.Signal("KILL");
        await Bridge.DisposeAsync();
        Bridge = BridgeProcess.Start(_cluster.Kubeconfig);
    }

    public async Task<string> ExplainAsync() => string.Join('\n',
        (await Api.ReadAsync("apis/trestle.dev/v1alpha1/slurmjobs", Ct))!["items"]!.AsArray().Select(job => $"{job!["metadata"]!["name"]}: {job["status"]?.ToJsonString()}")
            .Append((await Api.ReadAsync("apis/trestle.dev/v1alpha1/slurmclusters/alps", Ct))?["status"]?.ToJsonString())
            .Concat(Bridge.Log.Split('\n').TakeLast(20)).Concat(_operator.Log.Split('\n').TakeLast(20)).Append((await Slurm.RunAsRootAsync("squeue -a; sacct -X")).Out));

    public async ValueTask DisposeAsync()
    {
        await Bridge.DisposeAsync();
        await _operator.DisposeAsync();
        await _cluster.DisposeAsync();
    }
}
