using System.Net;
using System.Text.Json.Nodes;
using Trestle.Api.V1Alpha1;
using Trestle.Testing.Engine;
using Trestle.WeightsGateway.Engines;

namespace Trestle.WeightsGateway.Tests.Contract;

/// <summary>vLLM's routes, as its sources have them, against what we send and against the engine of our tests.</summary>
public sealed class RouteContractTests
{
    [Fact]
    public async Task The_stand_in_engine_answers_as_vLLM_does()
    {
        await using var farm = await EngineFarm.StartAsync(1, new EngineOptions { Transfers = false });
        (await RouteContract.DifferencesAsync(farm.Addresses[0], null, withOptional: true)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Our_client_sends_what_vLLM_takes()
    {
        var sent = new List<(string Target, string Body)>();
        using var http = new HttpClient(new Recorder(sent));
        var engine = new HttpEngine(http, new Uri("http://engine:8081"), new Uri("http://engine:8080"), () => true);
        await engine.LookAsync(CancellationToken.None);
        await engine.InitAsync(new JsonObject { ["master_address"] = "127.0.0.1", ["master_port"] = 29600, ["rank_offset"] = 1, ["world_size"] = 2 }, CancellationToken.None);
        await engine.PauseAsync(PauseMode.Keep, clearCache: false, CancellationToken.None);
        await engine.StartAsync(CancellationToken.None);
        await engine.UpdateAsync(new JsonObject { ["names"] = new JsonArray("w") }, CancellationToken.None);
        await engine.FinishAsync("step-1", CancellationToken.None);
        await engine.ResetCacheAsync(CancellationToken.None);
        await engine.ResumeAsync(CancellationToken.None);
        await engine.NameVersionAsync("step-2", CancellationToken.None);
        await engine.ReloadAsync("/models/step-3", CancellationToken.None);

        var ours = RouteContract.Calls.Where(call => call["from"] is not null).Select(call => ($"{call["method"]} {call["target"]}", call["body"]?.ToJsonString() ?? ""));
        sent.Skip(2).ShouldBe(ours, ignoreOrder: true);
        sent.Take(2).ShouldBe([("GET /health", ""), ("GET /v1/models", "")]);
    }

    [Fact]
    public void Every_control_route_that_we_use_is_in_the_contract()
    {
        string[] ours = [EngineRoutes.Pause, EngineRoutes.Resume, EngineRoutes.IsPaused, EngineRoutes.Init, EngineRoutes.Start, EngineRoutes.Update, EngineRoutes.Finish, EngineRoutes.NameVersion, EngineRoutes.WeightInfo, EngineRoutes.WorldSize, EngineRoutes.ResetPrefixCache, EngineRoutes.CollectiveRpc];
        ours.Except(RouteContract.Calls.Select(call => ((string)call["target"]!).Split('?')[0])).ShouldBeEmpty();
    }

    private sealed class Recorder(List<(string Target, string Body)> sent) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            sent.Add(($"{request.Method} {request.RequestUri!.PathAndQuery}", request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken)));
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("""{"is_paused":false,"weight_version":"default","world_size":1}""") };
        }
    }
}
