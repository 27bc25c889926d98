using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Trestle.Api.V1Alpha1;
using Trestle.Testing.Engine;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Tests.Serving;

/// <summary>A gateway before stand-in engines over HTTP, and a trainer that knows one server.</summary>
public sealed class GatewayTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("keep")]
    [InlineData("wait")]
    public async Task Updates_under_load_drop_nothing_and_nothing_older_is_answered_after_them(string? pause)
    {
        await using var world = await FarmGateway.StartAsync(3, new EngineOptions { WorldSize = 2, TokenTime = TimeSpan.FromMilliseconds(1) });
        await using var trainer = world.Trainer();
        await trainer.InitAsync();
        trainer.Ranks.Order().ShouldBe([1, 2, 3, 4, 5, 6]);
        var (published, old) = (0, 0);
        await using var load = new SteadyLoad(world.Client, world.Gateway.PublicAt, 8, asking: () =>
        {
            var least = Volatile.Read(ref published);
            return text =>
            {
                if (text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Any(token => (token == "default" ? 0 : int.TryParse(token, out var version) ? version : -1) < least)) Interlocked.Increment(ref old);
            };
        });
        for (var version = 1; version <= 10; version++)
        {
            await trainer.PushAsync($"{version}", pause: pause);
            Volatile.Write(ref published, version);
            var fresh = await world.Client.PostAsJsonAsync(new Uri(world.Gateway.PublicAt, "/v1/completions"), new JsonObject { ["max_tokens"] = 1 });
            var text = (string)(await fresh.Content.ReadFromJsonAsync<JsonNode>())!["choices"]![0]!["text"]!;
            text.Trim().ShouldBe($"{version}");
        }

        await load.StopAsync();
        load.Dropped.ShouldBeEmpty();
        load.Answers.ShouldBeGreaterThan(10);
        old.ShouldBe(0);
        world.Board.State!.Weights.ServingVersion.ShouldBe("10");
    }

    [Fact]
    public async Task A_replica_that_dies_under_load_costs_no_request()
    {
        await using var world = await FarmGateway.StartAsync(3);
        await using var load = new SteadyLoad(world.Client, world.Gateway.PublicAt, 6);
        await world.UntilAsync("requests are answered", () => load.Answers > 20);
        world.Farm.Engines[1].Kill();
        await world.UntilAsync("the gateway sees it", () => world.Member(1).State == ReplicaState.Lost);
        var before = load.Answers;
        await world.UntilAsync("requests are answered", () => load.Answers > before + 20);
        await load.StopAsync();
        load.Dropped.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_that_waits_on_a_replica_that_fails_goes_to_another()
    {
        await using var world = await FarmGateway.StartAsync(2, new EngineOptions { TokenTime = TimeSpan.FromMilliseconds(20) });
        await using var trainer = world.Trainer();
        await trainer.InitAsync();
        await using var load = new SteadyLoad(world.Client, world.Gateway.PublicAt, 6);
        await world.UntilAsync("requests are answered", () => load.Answers > 5);
        world.Farm.Engines[0].Faults["/update_weights"] = EngineFault.PartialApply;
        await trainer.PushAsync("1");
        world.Member(0).State.ShouldBe(ReplicaState.Quarantined);
        var before = load.Answers;
        await world.UntilAsync("requests are answered", () => load.Answers > before + 10);
        await load.StopAsync();
        load.Dropped.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_draining_replica_gets_nothing_new_and_finishes_what_it_has()
    {
        await using var world = await FarmGateway.StartAsync(2, new EngineOptions { TokenTime = TimeSpan.FromMilliseconds(30) });
        var long1 = world.Client.PostAsJsonAsync(new Uri(world.Gateway.PublicAt, "/v1/completions"), new JsonObject { ["max_tokens"] = 100 });
        var long2 = world.Client.PostAsJsonAsync(new Uri(world.Gateway.PublicAt, "/v1/completions"), new JsonObject { ["max_tokens"] = 100 });
        await world.UntilAsync("both run", () => world.Farm.Engines.All(engine => engine.Running == 1));
        world.Replicas.Drain(0);
        await world.UntilAsync("it is out", () => world.Member(0).State == ReplicaState.Draining);
        var calls = world.Farm.Engines[0].Calls["/v1/completions"];
        for (var request = 0; request < 5; request++) (await world.Client.PostAsJsonAsync(new Uri(world.Gateway.PublicAt, "/v1/completions"), new JsonObject { ["max_tokens"] = 1 })).StatusCode.ShouldBe(HttpStatusCode.OK);
        world.Farm.Engines[0].Calls["/v1/completions"].ShouldBe(calls);
        (await long1).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await long2).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Without_a_replica_clients_are_told_to_come_back()
    {
        await using var world = await FarmGateway.StartAsync(1);
        world.Farm.Engines[0].Kill();
        await world.UntilAsync("it is lost", () => world.Member(0).State == ReplicaState.Lost);
        var answer = await world.Client.PostAsJsonAsync(new Uri(world.Gateway.PublicAt, "/v1/completions"), new JsonObject());
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Headers.RetryAfter.ShouldNotBeNull();
    }

    [Fact]
    public async Task The_API_key_is_checked_and_control_routes_are_not_there_for_clients()
    {
        await using var world = await FarmGateway.StartAsync(1, apiKey: "key");
        (await world.Client.GetAsync(new Uri(world.Gateway.PublicAt, "/v1/models"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        world.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "key");
        (await world.Client.GetAsync(new Uri(world.Gateway.PublicAt, "/v1/models"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await world.Client.PostAsync(new Uri(world.Gateway.PublicAt, "/pause"), null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        world.Farm.Engines[0].IsPaused.ShouldBeFalse();
    }

    [Fact]
    public async Task A_stream_comes_through_token_by_token_and_goes_on_after_a_pause()
    {
        await using var world = await FarmGateway.StartAsync(1);
        await using var trainer = world.Trainer();
        await trainer.InitAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(world.Gateway.PublicAt, "/v1/chat/completions")) { Content = new StringContent("""{"stream":true,"max_tokens":400}""", Encoding.UTF8, "application/json") };
        using var answer = await world.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        (await lines.ReadLineAsync())!.ShouldContain("default ");
        await trainer.PushAsync("1");
        var rest = await lines.ReadToEndAsync();
        rest.ShouldContain("\"1 \"");
        rest.ShouldEndWith("data: [DONE]\n\n");
        rest.ShouldNotContain(StandInEngine.MixedToken);
    }

    [Fact]
    public async Task A_session_stays_with_its_replica()
    {
        await using var world = await FarmGateway.StartAsync(4);
        world.Spec.Router = new RouterSpec { Policy = RouterPolicy.Session, SessionHeader = "x-user" };
        for (var request = 0; request < 8; request++)
        {
            using var message = new HttpRequestMessage(HttpMethod.Get, new Uri(world.Gateway.PublicAt, "/version"));
            message.Headers.Add("x-user", "ann");
            await world.Client.SendAsync(message);
        }

        world.Farm.Engines.Count(engine => engine.Calls.ContainsKey("/version")).ShouldBe(1);
    }

    [Theory]
    [InlineData(WeightsStrategy.Rolling)]
    [InlineData(WeightsStrategy.Barrier)]
    public async Task Weights_of_a_storage_are_taken_under_load_when_they_are_declared(WeightsStrategy strategy)
    {
        await using var world = await FarmGateway.StartAsync(4, spare: 1, weights: new WeightsSpec
        {
            Source = new WeightsSource { Type = WeightsSourceType.Storage, UriTemplate = "s3://ckpts/step-{version}" },
            Strategy = strategy,
        });
        await using var load = new SteadyLoad(world.Client, world.Gateway.PublicAt, 6);
        await world.UntilAsync("requests are answered", () => load.Answers > 20);
        world.Spec.Weights!.Version = "7";
        await world.UntilAsync("all serve it", () => world.Gateway.Fleet.Rotation.Count == 4 && world.Board.State!.Weights.ServingVersion == "7");
        world.Farm.Engines.Take(4).ShouldAllBe(engine => (string)engine.Weights! == "s3://ckpts/step-7" && !engine.IsPaused);

        // One that comes late reads it too.
        world.Replicas.Add(4);
        await world.UntilAsync("it has joined", () => world.Gateway.Fleet.Rotation.Count == 5);
        world.Farm.Engines[4].Version.ShouldBe("7");
        await load.StopAsync();
        load.Dropped.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_version_that_some_can_not_read_leaves_the_others_serving_the_old_one()
    {
        await using var world = await FarmGateway.StartAsync(4, weights: new WeightsSpec { Source = new WeightsSource { Type = WeightsSourceType.Storage, UriTemplate = "/x/{version}" }, Strategy = WeightsStrategy.Rolling });
        foreach (var engine in world.Farm.Engines) engine.Faults["/collective_rpc"] = EngineFault.Refuse;
        world.Spec.Weights!.Version = "7";
        await world.UntilAsync("one is out", () => world.Gateway.Fleet.Members.Any(member => member.State == ReplicaState.Quarantined));
        world.Gateway.Fleet.Rotation.Count.ShouldBe(3);
        world.Board.State!.Weights.ServingVersion.ShouldBe("default");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Requests_that_wait_hold_no_more_bytes_than_they_may_together(bool chunked)
    {
        await using var world = await FarmGateway.StartAsync(1, requestBytes: 1000);
        await using var trainer = world.Trainer();
        await trainer.PostAsync("pause?mode=keep");
        var first = AskAsync(world, chunked);
        await world.UntilAsync("it waits", () => world.Farm.Engines[0].Calls.ContainsKey("/v1/completions"));
        using (var second = await AskAsync(world, chunked))
        {
            second.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            second.Headers.RetryAfter.ShouldNotBeNull();
            (await second.Content.ReadAsStringAsync()).ShouldContain("of the 1000 bytes that are kept for them; try again later");
        }

        await trainer.PostAsync("resume");
        (await first).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await AskAsync(world, chunked)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Of_two_gateways_before_the_same_engines_the_later_one_drives_them()
    {
        await using var world = await FarmGateway.StartAsync(3);
        await using var late = world.Trainer();
        await late.InitAsync();
        await late.PostAsync("start_weight_update");
        await using var next = await world.RivalAsync();
        (await Should.ThrowAsync<HttpRequestException>(() => late.PostAsync("update_weights", new JsonObject { ["update_info"] = new JsonObject() }))).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        await using var trainer = new StandInTrainer(next.WeightsAt);
        await trainer.InitAsync();
        await trainer.PushAsync("1");
        world.Farm.Engines.ShouldAllBe(engine => engine.Version == "1" && !engine.IsPaused && !engine.IsMixed);
        await world.UntilAsync("the old one gives requests to the new weights", () => world.Gateway.Fleet.Rotation.Count == 3 && world.Gateway.Fleet.Rotation.All(member => member.View?.Version == "1"));
        (await world.Client.PostAsJsonAsync(new Uri(world.Gateway.PublicAt, "/v1/completions"), new JsonObject { ["max_tokens"] = 1 })).StatusCode.ShouldBe(HttpStatusCode.OK);
        world.Board.State!.Weights.ServingVersion.ShouldBe("1");
    }

    private static async Task<HttpResponseMessage> AskAsync(FarmGateway world, bool chunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(world.Gateway.PublicAt, "/v1/completions"))
        {
            Content = new StringContent($$"""{"max_tokens":1,"prompt":"{{new string('x', 600)}}"}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.TransferEncodingChunked = chunked;
        return await world.Client.SendAsync(request);
    }
}
