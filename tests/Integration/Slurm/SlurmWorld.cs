using System.Text;
using System.Text.Json.Nodes;
using Trestle.Testing;
using Trestle.Testing.Hollow;
using SlurmCluster = Trestle.Testing.Slurm.SlurmCluster;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>An API server, the operator and the bridge as programs, and a real Slurm that namespace default may use as user A, and other as B.</summary>
internal sealed class SlurmWorld : IAsyncDisposable
{
    private readonly HollowCluster _cluster;
    private readonly OperatorProcess? _operator;

    private SlurmWorld(HollowCluster cluster, SlurmCluster slurm, OperatorProcess? trainer)
    {
        (_cluster, Slurm, _operator) = (cluster, slurm, trainer);
        Bridge = BridgeProcess.Start(cluster.Kubeconfig);
    }

    public SlurmCluster Slurm { get; }

    public BridgeProcess Bridge { get; private set; }

    public HttpClient Api => _cluster.Http;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="slurm">The cluster that jobs are placed on.</param>
    /// <param name="withOperator">Without it only SlurmJobs are carried out.</param>
    public static async Task<SlurmWorld> OpenAsync(SlurmCluster slurm, bool withOperator = true)
    {
        var cluster = await HollowCluster.OpenAsync(0, Ct);
        var world = new SlurmWorld(cluster, slurm, withOperator ? OperatorProcess.Start(cluster.Kubeconfig) : null);
        await world.SecretAsync("trestle-system", "key", "ssh-privatekey", slurm.A.Ed25519Key);
        await world.SecretAsync("trestle-system", "key-of-b", "ssh-privatekey", slurm.B.Ed25519Key);
        await world.SecretAsync("trestle-system", "pins", "known_hosts", slurm.KnownHosts);
        await world.Api.CreateAsync("apis/trestle.dev/v1alpha1/slurmclusters", JsonNode.Parse($$"""
            {
              "apiVersion": "trestle.dev/v1alpha1", "kind": "SlurmCluster", "metadata": { "name": "alps" },
              "spec": {
                "ssh": { "host": "{{slurm.Host}}", "port": {{slurm.Port}}, "knownHostsSecretRef": { "name": "pins" } },
                "users": [{ "namespaces": ["default"], "user": "{{slurm.A.Name}}", "keySecretRef": { "name": "key" } },
                          { "namespaces": ["other"], "user": "{{slurm.B.Name}}", "keySecretRef": { "name": "key-of-b" } }],
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
    public Task SubmitAsync(string name, string run, Action<JsonObject>? change = null, string ns = "default")
    {
        var spec = new JsonObject
        {
            ["nodes"] = 2,
            ["run"] = run,
            ["placement"] = new JsonArray(new JsonObject { ["slurm"] = new JsonObject { ["cluster"] = "alps" } }),
        };
        change?.Invoke(spec);
        return Api.CreateAsync(Jobs(ns), new JsonObject { ["apiVersion"] = "trestle.dev/v1alpha1", ["kind"] = "TrainingJob", ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec }, Ct);
    }

    public async Task<JsonNode> StatusAsync(string name, string ns = "default") => (await Api.ReadAsync($"{Jobs(ns)}/{name}", Ct))?["status"] ?? new JsonObject();

    public Task CancelAsync(string name) => Api.MergeAsync($"{Jobs("default")}/{name}", """{"metadata":{"annotations":{"trestle.dev/cancel":"true"}}}""", Ct);

    public async Task<JsonNode> UntilAsync(string name, string phase, string ns = "default")
    {
        var status = await StatusAsync(name, ns);
        await Condition.UntilAsync($"{name} is {phase}", async () => (string?)(status = await StatusAsync(name, ns))["phase"] == phase, TimeSpan.FromMinutes(2), async () => $"{status.ToJsonString()}\n{await ExplainAsync()}");
        return status;
    }

    public Task KillBridgeAsync()
    {
        Bridge.Signal("KILL");
        return NextBridgeAsync();
    }

    /// <summary>Another process in the place of the one that is dead, or is killed now.</summary>
    public async Task NextBridgeAsync(IReadOnlyDictionary<string, string?>? settings = null)
    {
        await Bridge.DisposeAsync();
        Bridge = BridgeProcess.Start(_cluster.Kubeconfig, settings);
    }

    public async Task<string> ExplainAsync() => string.Join('\n',
        (await Api.ReadAsync("apis/trestle.dev/v1alpha1/slurmjobs", Ct))!["items"]!.AsArray().Select(job => $"{job!["metadata"]!["name"]}: {job["status"]?.ToJsonString()}")
            .Append((await Api.ReadAsync("apis/trestle.dev/v1alpha1/slurmclusters/alps", Ct))?["status"]?.ToJsonString())
            .Concat(Bridge.Log.Split('\n').TakeLast(20)).Concat((_operator?.Log.Split('\n').TakeLast(20) ?? [])).Append((await Slurm.RunAsRootAsync("squeue -a; sacct -X")).Out));

    private static string Jobs(string ns) => $"apis/trestle.dev/v1alpha1/namespaces/{ns}/trainingjobs";

    public async ValueTask DisposeAsync()
    {
        await Bridge.DisposeAsync();
        if (_operator is not null) await _operator.DisposeAsync();
        await _cluster.DisposeAsync();
    }
}
