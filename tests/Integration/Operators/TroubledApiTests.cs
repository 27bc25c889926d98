using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Operators;

/// <summary>The API server refuses, breaks or is silent for a while; nodes come and go; things are taken away by hand.</summary>
public sealed class TroubledApiTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task A_server_in_trouble_is_waited_for_and_no_job_suffers(int answer)
    {
        await using var world = await HollowWorld.OpenAsync(nodes: 4);
        await using var proxy = await FaultyProxy.StartAsync(world.Cluster.Http);
        using var files = new TemporaryDirectory();
        var chance = new Random(answer);
        await using var worker = OperatorProcess.Start(proxy.WriteKubeconfig(files["kubeconfig"]));
        for (var job = 0; job < 12; job++) await world.SubmitAsync($"{(job % 3 == 0 ? "once" : "ok")}-{job}", ranks: 1 + (job % 4), gpus: 4);

        // Watches that are open go on; what is new fails two times in three, and then all of it for a while.
        proxy.Fault = request => chance.Next(3) > 0 && request.Method != HttpMethods.Get ? answer : null;
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, Ct);
        proxy.Fault = _ => answer;
        var before = proxy.Requests;
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, Ct);
        (proxy.Requests - before).ShouldBeLessThan(1000, "a server in trouble is not to be hammered");
        proxy.Fault = _ => null;
        await world.AllEndWellAsync(worker, TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Nodes_that_come_and_go_oversubscribe_nothing_and_every_job_ends()
    {
        await using var world = await HollowWorld.OpenAsync(nodes: 4);
        await using var worker = OperatorProcess.Start(world.Cluster.Kubeconfig);
        for (var job = 0; job < 12; job++) await world.SubmitAsync($"ok-{job}", ranks: 1 + (job % 3), gpus: 8);
        for (var flap = 0; flap < 24; flap++)
        {
            await world.Cluster.SetReadyAsync(flap % 3, ready: flap % 2 == 1, Ct);
            await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System, Ct);
        }

        for (var node = 0; node < 4; node++) await world.Cluster.SetReadyAsync(node, ready: true, Ct);
        await world.AllEndWellAsync(worker, TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task A_namespace_that_is_deleted_under_a_running_job_takes_the_job_with_it()
    {
        await using var world = await HollowWorld.OpenAsync(nodes: 2);
        await using var worker = OperatorProcess.Start(world.Cluster.Kubeconfig);
        await world.Cluster.Http.CreateAsync("api/v1/namespaces", JsonNode.Parse("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"gone"}}""")!, Ct);
        await world.SubmitAsync("long", ranks: 2, gpus: 8, ns: "gone");
        await Condition.UntilAsync("the job runs", async () => (string?)(await world.JobsAsync()).Single()["status"]?["phase"] == "Running", explain: () => world.ExplainAsync(worker));
        await world.Cluster.Http.DeleteAsync("api/v1/namespaces/gone", Ct);
        await Condition.UntilAsync("the namespace is gone", async () => await world.Cluster.Http.ReadAsync("api/v1/namespaces/gone", Ct) is null, TimeSpan.FromSeconds(90), () => world.ExplainAsync(worker));
        (await world.ListAsync("api/v1/pods")).ShouldBeEmpty();

        // The nodes are free again.
        await world.SubmitAsync("ok", ranks: 2, gpus: 8);
        await world.AllEndWellAsync(worker, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_pod_that_is_deleted_by_hand_restarts_its_gang_and_counts_nothing()
    {
        await using var world = await HollowWorld.OpenAsync(nodes: 2);
        await using var worker = OperatorProcess.Start(world.Cluster.Kubeconfig);
        await world.SubmitAsync("long", ranks: 2, gpus: 8);
        await PhaseAsync(world, worker, job => (string?)job["status"]?["phase"] == "Running");
        await world.Cluster.Http.DeleteAsync("api/v1/namespaces/default/pods/long-1-a1", Ct);
        await PhaseAsync(world, worker, job => (string?)job["status"]?["phase"] == "Running" && (int?)job["status"]!["attempt"] == 2);
        var restarts = (await world.JobsAsync()).Single()["status"]!["restarts"]!;
        ((int?)restarts["counted"], (int?)restarts["infrastructure"]).ShouldBe((null, 1));
        world.Witness.Violations.ShouldBeEmpty();
    }

    private static Task PhaseAsync(HollowWorld world, OperatorProcess worker, Func<JsonNode, bool> holds) =>
        Condition.UntilAsync("the job is as it should be", async () => holds((await world.JobsAsync()).Single()), explain: () => world.ExplainAsync(worker));
}
