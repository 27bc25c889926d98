using System.Text;
using System.Text.Json.Nodes;
using Trestle.Testing;
using Trestle.Testing.Hollow;
using Trestle.Testing.Slurm;

namespace Trestle.Bench.Slurm;

/// <summary>A real Slurm, an API server and a bridge as a process, without an operator: what is measured is SlurmJobs.</summary>
internal sealed class BenchedCluster : IAsyncDisposable
{
    private const string Jobs = "apis/trestle.dev/v1alpha1/namespaces/default/slurmjobs";
    private const int Connections = 16;
    private readonly HollowCluster _api;

    private BenchedCluster(SlurmCluster slurm, HollowCluster api, BridgeProcess bridge) => (Slurm, _api, Bridge) = (slurm, api, bridge);

    public SlurmCluster Slurm { get; }

    public BridgeProcess Bridge { get; }

    public static async Task<BenchedCluster> StartAsync(string interval, CancellationToken ct)
    {
        if (SlurmFixture.Missing is { } missing) throw new InvalidOperationException(missing);
        var slurm = await SlurmCluster.StartAsync();
        var api = await HollowCluster.OpenAsync(0, ct);
        await SecretAsync(api, "key", "ssh-privatekey", slurm.A.Ed25519Key, ct);
        await SecretAsync(api, "pins", "known_hosts", slurm.KnownHosts, ct);
        await api.Http.CreateAsync("apis/trestle.dev/v1alpha1/slurmclusters", JsonNode.Parse($$"""
            {
              "apiVersion": "trestle.dev/v1alpha1", "kind": "SlurmCluster", "metadata": { "name": "alps" },
              "spec": {
                "ssh": { "host": "{{slurm.Host}}", "port": {{slurm.Port}}, "knownHostsSecretRef": { "name": "pins" } },
                "users": [{ "namespaces": ["default"], "user": "{{slurm.A.Name}}", "keySecretRef": { "name": "key" } }],
                "poll": { "interval": "{{interval}}" }
              }
            }
            """)!, ct);
        var cluster = new BenchedCluster(slurm, api, BridgeProcess.Start(api.Kubeconfig));
        await Condition.UntilAsync("the bridge reaches the cluster", async () => (bool?)(await api.Http.ReadAsync("apis/trestle.dev/v1alpha1/slurmclusters/alps", ct))!["status"]?["reachable"] == true, explain: () => Task.FromResult(cluster.Bridge.Log));
        return cluster;
    }

    /// <summary>Creates so many jobs as fast as the API takes them.</summary>
    public Task SubmitAsync(string prefix, int count, string partition, string run, CancellationToken ct) =>
        Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = Connections, CancellationToken = ct }, async (number, token) =>
        {
            var name = $"{prefix}-{number:00000}";
            await _api.Http.CreateAsync(Jobs, new JsonObject
            {
                ["apiVersion"] = "trestle.dev/v1alpha1",
                ["kind"] = "SlurmJob",
                ["metadata"] = new JsonObject { ["name"] = name },
                ["spec"] = new JsonObject
                {
                    ["cluster"] = "alps",
                    ["job"] = name,
                    ["jobUid"] = Guid.NewGuid().ToString(),
                    ["attempt"] = 1,
                    ["nodes"] = 1,
                    ["options"] = new JsonArray($"--partition={partition}", "--nodes=1", "--mem=100"),
                    ["script"] = $"#!/bin/sh\n{run}\n",
                },
            }, token);
        });

    /// <summary>Until so many jobs of a prefix satisfy the condition; <paramref name="met"/> hears of each as it does.</summary>
    public async Task UntilAsync(string prefix, int count, Func<JsonNode, bool> condition, Action<JsonNode>? met, CancellationToken ct)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (seen.Count < count)
        {
            await foreach (var change in _api.Http.WatchAsync(Jobs, ct))
            {
                var job = change["object"]!;
                var name = (string?)job["metadata"]?["name"];
                if (name?.StartsWith($"{prefix}-", StringComparison.Ordinal) != true || job["status"] is not { } status || !condition(status) || !seen.Add(name)) continue;
                met?.Invoke(job);
                if (seen.Count == count) return;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Bridge.DisposeAsync();
        await _api.DisposeAsync();
        await Slurm.DisposeAsync();
    }

    private static Task SecretAsync(HollowCluster api, string name, string key, string value, CancellationToken ct) => api.Http.CreateAsync("api/v1/namespaces/trestle-system/secrets", new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["data"] = new JsonObject { [key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value)) },
    }, ct);
}
