using System.Net;
using Trestle.Api.V1Alpha1;
using Trestle.Testing.Engine;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Tests.Serving;

/// <summary>What goes wrong, over HTTP and TCP, under load. After each fault a whole update brings everybody back.</summary>
public sealed class FaultTests
{
    private static readonly string[] Mixed = [StandInEngine.MixedToken];

    [Theory]
    [InlineData("Pausing", "/pause", false)]
    [InlineData("Starting", "/start_weight_update", false)]
    [InlineData("Updating", "/update_weights", true)]
    [InlineData("Finishing", "/finish_weight_update", true)]
    [InlineData("Caching", "/reset_prefix_cache", true)]
    [InlineData("Verifying", "/weight_info", true)]
    [InlineData("Resuming", "/resume", true)]
    public async Task A_replica_killed_in_any_phase_costs_no_answer(string phase, string route, bool goesOn)
    {
        await using var world = await FarmGateway.StartAsync(3, Quick);
        await using var trainer = world.Trainer();
        await trainer.InitAsync();
        await using var load = new SteadyLoad(world.Client, world.Gateway.PublicAt, 6, asking: NothingMixed);
        await world.UntilAsync("requests are answered", () => load.Answers > 10);
        var victim = world.Farm.Engines[1];
        var struck = false;
        victim.Called = called =>
        {
            if (struck || called != route || world.Board.State!.Weights.Phase != phase) return;
            struck = true;
            victim.Kill();
        };
        if (goesOn) await trainer.PushAsync("1");
        else (await Should.ThrowAsync<HttpRequestException>(() => trainer.PushAsync("1"))).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        struck.ShouldBeTrue();
        world.Farm.Engines.Where(engine => engine != victim).ShouldAllBe(engine => !engine.IsPaused && engine.Version == (goesOn ? "1" : "default"));
        await world.UntilAsync("it is out", () => !world.Member(1).IsInRotation);
        var before = load.Answers;
        await world.UntilAsync("requests are answered", () => load.Answers > before + 10);

        await BackAsync(world, trainer, 1);
        await load.StopAsync();
        load.Dropped.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(EngineFault.Refuse)]
    [InlineData(EngineFault.PartialApply)]
    public async Task An_engine_that_answers_500_in_mid_update_is_out_and_the_others_go_on(EngineFault fault)
    {
        await using var world = await FarmGateway.StartAsync(3, Quick);
        await using var trainer = world.Trainer();
        await trainer.InitAsync();
        await using var load = new SteadyLoad(world.Client, world.Gateway.PublicAt, 6, asking: NothingMixed);
        world.Farm.Engines[2].Faults["/update_weights"] = fault;
        await trainer.PushAsync("1");
        world.Member(2).State.ShouldBe(ReplicaState.Quarantined);
        world.Farm.Engines[2].IsPaused.ShouldBeTrue();
        world.Gateway.Fleet.Rotation.Count.ShouldBe(2);
        (await Should.ThrowAsync<HttpRequestException>(() => trainer.PushAsync("2"))).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        await trainer.InitAsync();
        await trainer.PushAsync("2");
        world.Gateway.Fleet.Rotation.Count.ShouldBe(3);
        await load.StopAsync();
        load.Dropped.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_receive_that_hangs_is_given_up()
    {
        await using var world = await FarmGateway.StartAsync(2, Quick, Short);
        await using var trainer = world.Trainer();
        await trainer.InitAsync();
        world.Farm.Engines[0].Faults["/update_weights"] = EngineFault.Hang;
        await trainer.PushAsync("1");
        world.Member(0).State.ShouldBe(ReplicaState.Quarantined);
        world.Gateway.Fleet.Rotation.ShouldHaveSingleItem();
        world.Farm.Engines[0].Faults.Clear();
        await BackAsync(world, trainer, 0);
    }

    [Fact]
    public async Task An_engine_that_is_healthy_and_makes_no_token_is_out()
    {
        await using var world = await FarmGateway.StartAsync(2, Quick);
        world.Spec.Health = new HealthSpec { Stall = new StallSpec { NoProgress = "2s" } };
        world.Farm.Engines[0].IsStalled = true;
        await using var load = new SteadyLoad(world.Client, world.Gateway.PublicAt, 4);
        await world.UntilAsync("it is seen", () => world.Member(0).State == ReplicaState.Stalled);
        var before = load.Answers;
        await world.UntilAsync("requests are answered", () => load.Answers > before + 20);
        await load.StopAsync();
        load.Dropped.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_trainer_that_was_started_anew_takes_over_from_one_that_died_in_mid_update()
    {
        await using var world = await FarmGateway.StartAsync(2, Quick);
        await using (var old = world.Trainer())
        {
            await old.InitAsync();
            await old.PostAsync("start_weight_update");
            foreach (var engine in world.Farm.Engines) engine.Faults["/update_weights"] = EngineFault.Hang;
            _ = old.PostAsync("update_weights", new() { ["update_info"] = new System.Text.Json.Nodes.JsonObject() }).ContinueWith(sent => sent.Exception, TaskScheduler.Default);
            await world.UntilAsync("weights are on their way", () => world.Board.State!.Weights.Phase == "Updating" && world.Farm.Engines.All(engine => engine.Calls.ContainsKey("/update_weights")));
        }

        foreach (var engine in world.Farm.Engines) engine.Faults.Clear();
        await using var trainer = world.Trainer();
        await trainer.InitAsync();
        await trainer.PushAsync("1");
        world.Gateway.Fleet.Rotation.Count.ShouldBe(2);
        world.Farm.Engines.ShouldAllBe(engine => engine.Version == "1" && !engine.IsPaused && !engine.IsMixed);
    }

    [Fact]
    public async Task Of_two_trainers_one_is_told_to_wait()
    {
        await using var world = await FarmGateway.StartAsync(2, Quick);
        await using var one = world.Trainer();
        await using var other = world.Trainer();
        await one.InitAsync();
        await one.PostAsync("start_weight_update");
        var refusal = await Should.ThrowAsync<HttpRequestException>(() => other.PostAsync("start_weight_update"));
        refusal.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        refusal.Message.ShouldContain("in flight");
        await one.SendAsync("w");
        await one.PostAsync("finish_weight_update", new() { ["weight_version"] = "1" });
        world.Gateway.Fleet.Rotation.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Replicas_that_come_and_go_in_mid_update_do_not_disturb_it()
    {
        await using var world = await FarmGateway.StartAsync(3, Quick, spare: 1);
        await using var trainer = world.Trainer();
        await trainer.InitAsync();
        await trainer.PostAsync("start_weight_update");
        world.Replicas.Add(3);
        world.Replicas.Remove(2);
        await world.UntilAsync("the change is seen", () => world.Gateway.Fleet.Members.Any(member => member.Name == FarmReplicas.Name(3) && member.View is not null));
        await trainer.SendAsync("w");
        await trainer.PostAsync("finish_weight_update", new() { ["weight_version"] = "1" });
        world.Gateway.Fleet.Rotation.Select(member => member.Replica.Ordinal).ShouldBe([0, 1]);
        await Should.ThrowAsync<HttpRequestException>(() => trainer.PushAsync("2"));
        await trainer.InitAsync();
        await trainer.PushAsync("2");
        world.Gateway.Fleet.Rotation.Select(member => member.Replica.Ordinal).ShouldBe([0, 1, 3]);
    }

    [Fact]
    public async Task A_wrong_world_size_is_refused_and_the_sentence_says_the_right_one()
    {
        await using var world = await FarmGateway.StartAsync(2, Quick);
        await using var trainer = world.Trainer();
        var refusal = await Should.ThrowAsync<HttpRequestException>(() => trainer.InitAsync(worldSize: 2));
        refusal.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        refusal.Message.ShouldContain("make 3");
        await trainer.InitAsync();
        await trainer.PushAsync("1");
    }

    [Fact]
    public async Task An_engine_that_loads_keeps_its_port_and_gets_nothing()
    {
        await using var world = await FarmGateway.StartAsync(1, Quick, spare: 1);
        world.Farm.Engines[1].Restart(loaded: false);
        world.Replicas.Add(1);
        await world.UntilAsync("it is seen", () => world.Gateway.Fleet.Members.Count == 2);
        world.Member(1).State.ShouldBe(ReplicaState.Loading);
        world.Farm.Engines[1].Loaded();
        await world.UntilAsync("it takes part", () => world.Gateway.Fleet.Rotation.Count == 2);
    }

    private static EngineOptions Quick => new() { TokenTime = TimeSpan.FromMilliseconds(2) };

    private static WeightsSpec Short => new()
    {
        Source = new WeightsSource { Type = WeightsSourceType.Trainer, TrainerTask = "trainer" },
        Timeouts = new WeightsTimeouts { Transfer = "2s" },
    };

    private static Action<string> NothingMixed() => text => text.Split(' ').Intersect(Mixed).ShouldBeEmpty();

    private static async Task BackAsync(FarmGateway world, StandInTrainer trainer, int ordinal)
    {
        world.Farm.Engines[ordinal].Called = null;
        world.Farm.Engines[ordinal].Restart();
        world.Replicas.Restarted(ordinal);
        await world.UntilAsync("it is seen", () => world.Member(ordinal).View is not null && world.Member(ordinal).Replica.Instance.Restarts == 1);
        world.Member(ordinal).IsInRotation.ShouldBe(world.Gateway.Updates.State.History.IsFirst);
        await trainer.InitAsync();
        await trainer.PushAsync("8");
        world.Gateway.Fleet.Rotation.Count.ShouldBe(world.Farm.Engines.Count);
        world.Farm.Engines.ShouldAllBe(engine => engine.Version == "8" && !engine.IsPaused && !engine.IsMixed);
    }
}
