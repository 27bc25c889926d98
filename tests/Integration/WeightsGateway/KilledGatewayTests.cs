using Trestle.Testing;
using Trestle.Testing.Engine;

namespace Trestle.Integration.Tests.WeightsGateway;

/// <summary>The gateway program with an API server, killed with SIGKILL in each phase of an update.</summary>
public sealed class KilledGatewayTests(SharedGatewayPlane shared) : IClassFixture<SharedGatewayPlane>
{
    private readonly GatewayPlane plane = shared.Plane;

    private const int Replicas = 3;

    [Theory]
    [InlineData("pausing", "/pause", "default")]
    [InlineData("starting", "/start_weight_update", "default")]
    [InlineData("updating", "/update_weights", null)]
    [InlineData("finishing", "/finish_weight_update", "1")]
    [InlineData("caching", "/reset_prefix_cache", "1")]
    [InlineData("verifying", "/weight_info", "1")]
    [InlineData("resuming", "/resume", "1")]
    public async Task A_gateway_killed_in_any_phase_leaves_no_pause_and_no_wrong_weights(string service, string route, string? version)
    {
        using var files = new TemporaryDirectory();
        var token = files.Write("token", "secret\n");
        await using var farm = await EngineFarm.StartAsync(Replicas, null, 8080, 8081);
        await plane.ServiceAsync(service, Replicas);
        for (var ordinal = 0; ordinal < Replicas; ordinal++) await plane.PodAsync(service, ordinal, farm.Addresses[ordinal].Host);
        await using (var gateway = await GatewayProcess.StartAsync(plane.Plane.Kubeconfig, service, token))
        {
            await using var trainer = new StandInTrainer(gateway.Weights);
            await AllAreThereAsync(gateway);
            await trainer.InitAsync(ct: TestContext.Current.CancellationToken);
            var first = farm.Engines[0];
            first.Called = called =>
            {
                if (called == route && (route != "/weight_info" || first.Calls.ContainsKey("/reset_prefix_cache"))) gateway.Kill();
            };
            await Should.ThrowAsync<HttpRequestException>(() => trainer.PushAsync("1", ct: TestContext.Current.CancellationToken));
            await Condition.UntilAsync("the gateway is dead", () => gateway.HasExited);
            first.Called = null;
        }

        await using var next = await GatewayProcess.StartAsync(plane.Plane.Kubeconfig, service, token);
        await AllAreThereAsync(next);
        if (version is null)
        {
            // Nobody knows what they hold: they answer nobody until a whole update.
            farm.Engines.ShouldAllBe(engine => engine.IsPaused);
            (await plane.GateIsAsync(service, 0, "False")).ShouldBeTrue();
        }
        else
        {
            await Condition.UntilAsync("no pause is left", () => farm.Engines.All(engine => !engine.IsPaused), explain: () => Task.FromResult(next.Log));
            farm.Engines.ShouldAllBe(engine => engine.Version == version && !engine.IsMixed);
            await Condition.UntilAsync("the status says so", async () => (string?)(await plane.WeightsAsync(service))?["servingVersion"] == version && (string?)(await plane.WeightsAsync(service))!["phase"] == "Idle");
        }

        await using var again = new StandInTrainer(next.Weights);
        await again.InitAsync(ct: TestContext.Current.CancellationToken);
        await again.PushAsync("2", ct: TestContext.Current.CancellationToken);
        farm.Engines.ShouldAllBe(engine => engine.Version == "2" && !engine.IsPaused && !engine.IsMixed);
        await Condition.UntilAsync("the gates are open", async () => await plane.GateIsAsync(service, 0, "True") && await plane.GateIsAsync(service, Replicas - 1, "True"));
        await Condition.UntilAsync("the status says so", async () => (string?)(await plane.WeightsAsync(service))?["servingVersion"] == "2");
        (await next.StopAsync()).ShouldExit(0);
    }

    [Fact]
    public async Task An_engine_restarted_in_its_pod_has_its_gate_closed_until_the_next_update()
    {
        const string Service = "restarted";
        using var files = new TemporaryDirectory();
        await using var farm = await EngineFarm.StartAsync(2, null, 8080, 8081);
        await plane.ServiceAsync(Service, 2);
        for (var ordinal = 0; ordinal < 2; ordinal++) await plane.PodAsync(Service, ordinal, farm.Addresses[ordinal].Host);
        await using var gateway = await GatewayProcess.StartAsync(plane.Plane.Kubeconfig, Service, files.Write("token", "secret"));
        await using var trainer = new StandInTrainer(gateway.Weights);
        await AllAreThereAsync(gateway);
        await trainer.InitAsync(ct: TestContext.Current.CancellationToken);
        await trainer.PushAsync("1", ct: TestContext.Current.CancellationToken);
        await Condition.UntilAsync("its gate is open", () => plane.GateIsAsync(Service, 1, "True"));

        farm.Engines[1].Restart();
        await plane.StatusAsync(Service, 1, farm.Addresses[1].Host, restarts: 1);
        await Condition.UntilAsync("its gate is closed", () => plane.GateIsAsync(Service, 1, "False"));
        (await plane.GateIsAsync(Service, 0, "True")).ShouldBeTrue();
        var refused = await Should.ThrowAsync<HttpRequestException>(() => trainer.PushAsync("2", ct: TestContext.Current.CancellationToken));
        refused.StatusCode.ShouldBe(System.Net.HttpStatusCode.Conflict);
        await trainer.InitAsync(ct: TestContext.Current.CancellationToken);
        await trainer.PushAsync("2", ct: TestContext.Current.CancellationToken);
        await Condition.UntilAsync("its gate is open", () => plane.GateIsAsync(Service, 1, "True"));
    }

    [Fact]
    public async Task A_gateway_that_is_still_there_when_the_next_one_starts_drives_the_engines_no_more()
    {
        const string Service = "two-gateways";
        using var files = new TemporaryDirectory();
        var token = files.Write("token", "secret");
        await using var farm = await EngineFarm.StartAsync(2, null, 8080, 8081);
        await plane.ServiceAsync(Service, 2);
        for (var ordinal = 0; ordinal < 2; ordinal++) await plane.PodAsync(Service, ordinal, farm.Addresses[ordinal].Host);
        await using var old = await GatewayProcess.StartAsync(plane.Plane.Kubeconfig, Service, token);
        await using var late = new StandInTrainer(old.Weights);
        await AllAreThereAsync(old);
        await late.InitAsync(ct: TestContext.Current.CancellationToken);
        await using var next = await GatewayProcess.StartAsync(plane.Plane.Kubeconfig, Service, token);
        var refused = await Should.ThrowAsync<HttpRequestException>(() => late.PushAsync("0", ct: TestContext.Current.CancellationToken));
        refused.StatusCode.ShouldBe(System.Net.HttpStatusCode.ServiceUnavailable);

        await using var trainer = new StandInTrainer(next.Weights);
        await AllAreThereAsync(next);
        await trainer.InitAsync(ct: TestContext.Current.CancellationToken);
        await trainer.PushAsync("1", ct: TestContext.Current.CancellationToken);
        farm.Engines.ShouldAllBe(engine => engine.Version == "1" && !engine.IsPaused && !engine.IsMixed);
        ((long?)(await plane.WeightsAsync(Service))!["term"]).ShouldBe(2);
    }

    private static async Task AllAreThereAsync(GatewayProcess gateway)
    {
        using var http = new HttpClient();
        await Condition.UntilAsync("all replicas are there", async () => (await http.GetAsync(new Uri(gateway.Weights, "/health"))).IsSuccessStatusCode, explain: () => Task.FromResult(gateway.Log));
    }
}
