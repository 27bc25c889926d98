using System.Globalization;
using System.Text.Json.Nodes;
using Trestle.Testing;
using Trestle.Testing.Hollow;

namespace Trestle.Integration.Tests.Operators;

/// <summary>
/// A cluster of hollow nodes with jobs whose fate is in their names: "ok" ends well, "once" fails in its first attempt, "never" fails
/// in every attempt, and "long" runs on.
/// </summary>
internal sealed class HollowWorld : IAsyncDisposable
{
    private readonly HollowKubelet _kubelet;

    private HollowWorld(HollowCluster cluster) => (Cluster, _kubelet) = (cluster, HollowKubelet.Start(cluster.Http, FateOf));

    public HollowCluster Cluster { get; }

    public GangWitness Witness => _kubelet.Witness;

    private HttpClient Api => Cluster.Http;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<HollowWorld> OpenAsync(int nodes) => new(await HollowCluster.OpenAsync(nodes, Ct));

    /// <summary>Creates a job of so many ranks with so many GPUs each.</summary>
    public async Task SubmitAsync(string name, int ranks, int gpus, string ns = "default")
    {
        var path = $"apis/trestle.dev/v1alpha1/namespaces/{ns}/trainingjobs";
        await Api.CreateAsync(path, new JsonObject
        {
            ["apiVersion"] = "trestle.dev/v1alpha1",
            ["kind"] = "TrainingJob",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject
            {
                ["nodes"] = ranks,
                ["image"] = "pause",
                ["run"] = "true",
                ["resources"] = new JsonObject { ["accelerators"] = $"H100:{gpus}" },
                ["recovery"] = new JsonObject { ["maxRestarts"] = 2, ["backoff"] = new JsonObject { ["initial"] = "0s", ["max"] = "1s" } },
            },
        }, Ct);
        var made = await Api.ReadAsync($"{path}/{name}", Ct);
        Witness.Expect((string)made!["metadata"]!["uid"]!, ranks);
    }

    /// <summary>All jobs.</summary>
    public async Task<IReadOnlyList<JsonNode>> JobsAsync() => await ListAsync("apis/trestle.dev/v1alpha1/trainingjobs");

    public async Task<IReadOnlyList<JsonNode>> ListAsync(string path) => [.. (await Api.ReadAsync(path, Ct))!["items"]!.AsArray().OfType<JsonNode>()];

    /// <summary>How many jobs have not ended.</summary>
    public async Task<int> UnendedAsync() => (await JobsAsync()).Count(job => !HasEnded(job));

    public static bool HasEnded(JsonNode job) => (string?)job["status"]?["phase"] is "Succeeded" or "Failed" or "Cancelled";

    /// <summary>Waits until every job has ended, and checks that each ended as it must, and that nothing was ever as it must not be.</summary>
    public async Task AllEndWellAsync(OperatorProcess worker, TimeSpan giveUp)
    {
        await Condition.UntilAsync("every job has ended", async () => await UnendedAsync() == 0, giveUp, () => ExplainAsync(worker));
        Witness.Violations.ShouldBeEmpty();
        foreach (var job in await JobsAsync())
        {
            var name = (string)job["metadata"]!["name"]!;
            ((string?)job["status"]!["phase"]).ShouldBe(name.StartsWith("never", StringComparison.Ordinal) ? "Failed" : "Succeeded", job["status"]!.ToJsonString());
        }

        await Condition.UntilAsync("no pod is left that may run", async () => (await ListAsync("api/v1/pods")).All(pod => (string?)pod["status"]?["phase"] is "Succeeded" or "Failed"), giveUp, () => ExplainAsync(worker));
    }

    /// <summary>Deletes every job and waits until nothing of them is left.</summary>
    public async Task CleanAwayAsync(OperatorProcess worker)
    {
        await Api.DeleteAsync("apis/trestle.dev/v1alpha1/namespaces/default/trainingjobs", Ct);
        foreach (var path in (string[])["apis/trestle.dev/v1alpha1/trainingjobs", "api/v1/pods", "api/v1/services?labelSelector=app.kubernetes.io/managed-by=trestle", "api/v1/namespaces/default/configmaps?labelSelector=trestle.dev/job-uid", "api/v1/namespaces/default/secrets?labelSelector=trestle.dev/job-uid"])
            await Condition.UntilAsync($"{path} is empty", async () => (await ListAsync(path)).Count == 0, TimeSpan.FromSeconds(60), () => ExplainAsync(worker));
    }

    public async Task<string> ExplainAsync(OperatorProcess worker)
    {
        var jobs = (await JobsAsync()).Where(job => !HasEnded(job)).Take(5).Select(job => $"{job["metadata"]!["name"]}: {job["status"]?.ToJsonString()}");
        var pods = (await ListAsync("api/v1/pods")).Where(pod => (string?)pod["status"]?["phase"] is not ("Succeeded" or "Failed")).Take(10).Select(pod => $"{pod["metadata"]!["name"]}: {pod["spec"]!["nodeName"]} gates {pod["spec"]!["schedulingGates"]?.ToJsonString()} {pod["status"]?["phase"]} deleted {pod["metadata"]!["deletionTimestamp"]}");
        return string.Join('\n', [.. jobs, .. pods, .. _kubelet.Troubles, .. Witness.Violations, .. worker.Log.Split('\n').TakeLast(40)]);
    }

    public async ValueTask DisposeAsync()
    {
        await _kubelet.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    private static Fate FateOf(JsonNode pod)
    {
        var labels = pod["metadata"]!["labels"]!;
        var name = (string)labels["trestle.dev/job-name"]!;
        var (attempt, rank) = (Number("trestle.dev/attempt"), Number("trestle.dev/rank"));
        var fails = rank == 0 && (name.StartsWith("never", StringComparison.Ordinal) || (name.StartsWith("once", StringComparison.Ordinal) && attempt == 1));
        if (name.StartsWith("long", StringComparison.Ordinal)) return new Fate(TimeSpan.FromHours(1), 0);
        return new Fate(TimeSpan.FromMilliseconds(100 + (37 * rank % 400)), fails ? 1 : 0);

        int Number(string label) => int.Parse((string)labels[label]!, CultureInfo.InvariantCulture);
    }
}
