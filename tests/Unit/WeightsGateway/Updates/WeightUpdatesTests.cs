using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Replicas;
using Trestle.WeightsGateway.Tests.Fakes;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Tests.Updates;

public sealed class WeightUpdatesTests
{
    [Fact]
    public async Task A_trainer_that_knows_one_server_updates_all_replicas()
    {
        using var world = await SimWorld.ReadyAsync(3);
        await world.InitAsync();
        await world.PushAsync("1");

        world.Engines.ShouldAllBe(engine => engine.Version == "1" && !engine.IsPaused && !engine.IsMixed);
        world.Engines.Select(engine => engine.Joined).ShouldBe([(1, 4), (2, 4), (3, 4)]);
        world.Board.State!.Weights.ServingVersion.ShouldBe("1");
    }

    [Fact]
    public async Task Each_phase_is_written_before_its_first_side_effect()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        var seen = new List<string>();
        world.Strike = (_, call) =>
        {
            if (call is not ("look" or "load")) seen.Add($"{world.Board.State!.Weights.Phase}: {call}");
            return SimFault.None;
        };
        await world.PushAsync("1");
        seen.Distinct().ShouldBe(["Pausing: pause", "Starting: start", "Updating: update", "Finishing: finish", "Caching: cache", "Resuming: resume"]);
        world.Board.Phases[^1].ShouldBe("Idle");
    }

    [Fact]
    public async Task A_trainer_that_pauses_by_itself_resumes_by_itself()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        await world.RunAsync(() => world.Updates.PauseAsync(PauseMode.Keep, clearCache: false));
        await world.PushAsync("1");
        world.Engines.ShouldAllBe(engine => engine.IsPaused);
        await world.RunAsync(world.Updates.ResumeAsync);
        world.Engines.ShouldAllBe(engine => !engine.IsPaused && engine.Version == "1");
    }

    [Fact]
    public async Task A_trainer_that_never_resumes_is_not_waited_for_forever()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        await world.RunAsync(() => world.Updates.PauseAsync(PauseMode.Keep, clearCache: false));
        await world.PushAsync("1");
        await world.RoundsAsync(world.Rules.ResumeLimit + TimeSpan.FromSeconds(20));
        world.Engines.ShouldAllBe(engine => !engine.IsPaused && engine.Version == "1");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_trainer_that_dies_before_weights_travel_leaves_the_old_version(bool started)
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        if (started) await world.RunAsync(world.Updates.StartAsync);
        else await world.RunAsync(() => world.Updates.PauseAsync(PauseMode.Wait, clearCache: true));
        await world.RoundsAsync(world.Rules.TransferLimit + TimeSpan.FromSeconds(20));
        world.Engines.ShouldAllBe(engine => !engine.IsPaused && engine.Version == "default");
        world.Fleet.Rotation.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_trainer_that_dies_while_weights_travel_leaves_replicas_that_answer_nobody_until_a_whole_update()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        await world.RunAsync(world.Updates.StartAsync);
        await world.UpdateAsync();
        await world.RoundsAsync(world.Rules.TransferLimit + TimeSpan.FromSeconds(20));
        world.Fleet.Rotation.ShouldBeEmpty();
        world.Fleet.Members.ShouldAllBe(member => member.State == ReplicaState.Quarantined);
        world.Engines.ShouldAllBe(engine => engine.IsPaused);

        await world.InitAsync();
        await world.PushAsync("1");
        world.Fleet.Rotation.Count.ShouldBe(2);
        world.Engines.ShouldAllBe(engine => !engine.IsMixed && engine.Version == "1" && !engine.IsPaused);
    }

    [Fact]
    public async Task A_replica_that_fails_while_weights_travel_stays_paused_and_the_others_go_on()
    {
        using var world = await SimWorld.ReadyAsync(3);
        await world.InitAsync();
        world.Strike = (engine, call) => call == "update" && engine == world[1] ? SimFault.Partial : SimFault.None;
        await world.PushAsync("1");
        world.Strike = (_, _) => SimFault.None;

        world.Member(1).State.ShouldBe(ReplicaState.Quarantined);
        world[1].IsPaused.ShouldBeTrue();
        world.Fleet.Rotation.Select(member => member.Name).ShouldBe(["policy-0-0", "policy-2-0"]);
        (await Should.ThrowAsync<RefusalException>(() => world.PushAsync("2"))).Status.ShouldBe(409);
        await world.InitAsync();
        await world.PushAsync("2");
        world.Fleet.Rotation.Count.ShouldBe(3);
    }

    [Theory]
    [InlineData("pause")]
    [InlineData("start")]
    public async Task A_replica_that_fails_before_weights_travel_leaves_the_others_with_the_old_version(string call)
    {
        using var world = await SimWorld.ReadyAsync(3);
        await world.InitAsync();
        await world.PushAsync("1");
        world.Strike = (engine, which) => which == call && engine == world[1] ? SimFault.KillEngine : SimFault.None;
        var refusal = await Should.ThrowAsync<RefusalException>(() => world.PushAsync("2"));
        refusal.Status.ShouldBe(503);
        refusal.Message.ShouldContain("policy-1-0");
        new[] { world[0], world[2] }.ShouldAllBe(engine => !engine.IsPaused && engine.Version == "1");
        await world.RoundAsync();
        world.Fleet.Rotation.Count.ShouldBe(2);
        world.Board.State!.Weights.ServingVersion.ShouldBe("1");
    }

    [Fact]
    public async Task A_trainer_that_dies_twice_while_weights_travel_takes_nobody_out_for_good()
    {
        using var world = await SimWorld.ReadyAsync(2);
        for (var death = 0; death < 3; death++)
        {
            await world.InitAsync();
            await world.RunAsync(world.Updates.StartAsync);
            await world.UpdateAsync();
            await world.RoundsAsync(world.Rules.TransferLimit + TimeSpan.FromSeconds(10));
            world.Fleet.Rotation.ShouldBeEmpty("nobody knows what they hold");
        }

        await world.InitAsync();
        await world.PushAsync("3");
        await world.RoundAsync();
        world.Fleet.Rotation.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_receive_that_hangs_is_given_up_after_its_limit()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        world.Strike = (engine, call) => call == "update" && engine == world[0] ? SimFault.Hang : SimFault.None;
        var began = world.Time.GetTimestamp();
        await world.PushAsync("1");
        world.Time.GetElapsedTime(began).ShouldBeGreaterThanOrEqualTo(world.Rules.TransferLimit);
        world.Member(0).State.ShouldBe(ReplicaState.Quarantined);
        world.Fleet.Rotation.Select(member => member.Name).ShouldBe(["policy-1-0"]);
    }

    [Fact]
    public async Task A_wrong_world_size_is_refused_with_the_right_one()
    {
        using var world = await SimWorld.ReadyAsync(2);
        var refusal = await Should.ThrowAsync<RefusalException>(() => world.InitAsync(world: 9));
        refusal.Status.ShouldBe(409);
        refusal.Message.ShouldContain("make 3");
        world.Engines.ShouldAllBe(engine => engine.Joined == null);
    }

    [Fact]
    public async Task A_trainer_of_an_old_epoch_is_told_to_join_anew()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        await world.PushAsync("1");
        world.Add(2);
        await world.RoundAsync();
        world.Member(2).State.ShouldBe(ReplicaState.Stale);
        world.Board.Gates["policy-2-0"].ShouldBeFalse();

        var refusal = await Should.ThrowAsync<RefusalException>(() => world.PushAsync("2"));
        refusal.Status.ShouldBe(409);
        refusal.Message.ShouldContain("init_weight_transfer_engine");
        await world.InitAsync();
        await world.PushAsync("2");
        await world.RoundAsync();
        world.Fleet.Rotation.Count.ShouldBe(3);
        world.Board.Gates["policy-2-0"].ShouldBeTrue();
    }

    [Fact]
    public async Task A_replica_that_was_started_anew_gets_nothing_until_it_is_current()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        await world.PushAsync("1");
        world.Restart(0);
        await world.RoundAsync();
        world.Member(0).State.ShouldBe(ReplicaState.Stale);
        world.Fleet.Rotation.Select(member => member.Name).ShouldBe(["policy-1-0"]);
    }

    [Fact]
    public async Task A_second_start_is_refused()
    {
        using var world = await SimWorld.ReadyAsync(1);
        await world.InitAsync();
        await world.RunAsync(world.Updates.StartAsync);
        (await Should.ThrowAsync<RefusalException>(() => world.RunAsync(world.Updates.StartAsync))).Status.ShouldBe(409);
    }

    [Fact]
    public async Task A_trainer_waits_for_a_round_and_is_refused_behind_another_request()
    {
        using var world = await SimWorld.ReadyAsync(1);
        await world.InitAsync();
        var round = new TaskCompletionSource();
        var held = world.Updates.WhenFreeAsync(() => round.Task);
        var start = world.Updates.StartAsync();
        start.IsCompleted.ShouldBeFalse();
        round.SetResult();
        await held;
        await start;

        world.Strike = (_, call) => call == "update" ? SimFault.Hang : SimFault.None;
        var update = world.Updates.UpdateAsync(new System.Text.Json.Nodes.JsonObject());
        (await Should.ThrowAsync<RefusalException>(() => world.Updates.FinishAsync("1"))).Status.ShouldBe(409);
        world.Time.Advance(world.Rules.TransferLimit);
        await Should.ThrowAsync<RefusalException>(() => update);
    }

    [Fact]
    public async Task A_service_whose_weights_come_from_elsewhere_takes_none_from_a_trainer()
    {
        using var world = await SimWorld.ReadyAsync(1, new WeightsRules { Source = WeightsSourceType.Storage, UriTemplate = "/x/{version}" });
        (await Should.ThrowAsync<RefusalException>(() => world.InitAsync())).Message.ShouldContain("spec.weights.source.type");
        (await Should.ThrowAsync<RefusalException>(() => world.RunAsync(() => world.Updates.PauseAsync(PauseMode.Keep, clearCache: true)))).Status.ShouldBe(409);
        world[0].IsPaused.ShouldBeFalse();
    }

    [Fact]
    public async Task Gates_stay_open_through_a_pause()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        world.Board.GateWrites.Clear();
        await world.RunAsync(world.Updates.StartAsync);
        await world.RoundAsync();
        await world.UpdateAsync();
        await world.RoundAsync();
        await world.RunAsync(() => world.Updates.FinishAsync("1"));
        await world.RoundAsync();
        world.Board.GateWrites.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_version_without_a_name_gets_the_next_number()
    {
        using var world = await SimWorld.ReadyAsync(1);
        await world.InitAsync();
        foreach (var _ in new int[2])
        {
            await world.RunAsync(world.Updates.StartAsync);
            await world.UpdateAsync();
            await world.RunAsync(() => world.Updates.FinishAsync(null));
        }

        world[0].Version.ShouldBe("2");
    }

    [Fact]
    public async Task Running_requests_without_tokens_are_a_stall()
    {
        using var world = await SimWorld.ReadyAsync(2);
        world[0].Load = new(3, 0, 100);
        await world.RoundAsync();
        await world.RoundsAsync(world.Rules.NoProgress + TimeSpan.FromSeconds(20));
        world.Member(0).State.ShouldBe(ReplicaState.Stalled);
        world.Member(1).State.ShouldBe(ReplicaState.Ready);
    }

    [Fact]
    public async Task An_update_that_can_not_be_written_is_not_begun()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        world.Board.Failing = 1;
        (await Should.ThrowAsync<RefusalException>(() => world.RunAsync(world.Updates.StartAsync))).Status.ShouldBe(503);
        world.Engines.ShouldAllBe(engine => !engine.IsPaused);
    }

    [Theory]
    [InlineData("pause", "default")]
    [InlineData("start", "default")]
    [InlineData("finish", "1")]
    [InlineData("cache", "1")]
    [InlineData("look", "1")]
    [InlineData("resume", "1")]
    public async Task A_gateway_that_is_killed_goes_on_where_it_stood(string call, string version)
    {
        using var world = await SimWorld.ReadyAsync(3);
        await world.InitAsync();
        var calls = 0;
        world.Strike = (_, which) => which == call && (call != "look" || world.Board.State!.Weights.Phase == "Verifying") && ++calls == 2 ? SimFault.KillGatewayAfter : SimFault.None;
        await Should.ThrowAsync<GatewayDiedException>(() => world.PushAsync("1"));
        world.Strike = (_, _) => SimFault.None;
        world.Start();
        await world.RecoverAsync();
        await world.RoundAsync();
        world.Engines.ShouldAllBe(engine => !engine.IsPaused && engine.Version == version && !engine.IsMixed);
        world.Fleet.Rotation.Count.ShouldBe(3);
        world.Board.State!.Weights.ServingVersion.ShouldBe(version);
    }

    [Fact]
    public async Task A_gateway_that_is_killed_while_weights_travel_resumes_no_replica_that_may_hold_half_of_them()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        await world.RunAsync(world.Updates.StartAsync);
        world.Strike = (engine, call) => call == "update" && engine == world[1] ? SimFault.KillGatewayAfter : SimFault.None;
        await Should.ThrowAsync<GatewayDiedException>(world.UpdateAsync);
        world.Strike = (_, _) => SimFault.None;
        world.Start();
        await world.RecoverAsync();
        await world.RoundsAsync(TimeSpan.FromMinutes(20));
        world.Engines.ShouldAllBe(engine => engine.IsPaused);
        world.Fleet.Rotation.ShouldBeEmpty();
        await world.InitAsync();
        await world.PushAsync("1");
        world.Fleet.Rotation.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_gateway_that_was_away_between_two_updates_is_not_noticed_by_the_trainer()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        await world.PushAsync("1");
        world.Start();
        await world.RecoverAsync();
        await world.PushAsync("2");
        world.Engines.ShouldAllBe(engine => engine.Version == "2");
    }

    [Fact]
    public async Task The_end_of_an_update_is_written_later_when_it_could_not_be_written_at_once()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.RunAsync(() => world.Updates.PauseAsync(PauseMode.Keep, clearCache: false));
        world.Board.Writing = (_, next) =>
        {
            if (next.Weights.Phase == "Idle") throw new Trestle.WeightsGateway.Board.BoardException("the API server is away");
        };
        await world.RunAsync(world.Updates.ResumeAsync);
        world.Board.State!.Weights.Phase.ShouldBe("Resuming");
        world.Board.Writing = null;
        await world.RoundAsync();
        world.Board.State!.Weights.Phase.ShouldBe("Idle");
    }

    [Fact]
    public async Task Why_an_engine_does_not_answer_is_told_with_its_replica()
    {
        using var world = await SimWorld.ReadyAsync(2);
        world[1].IsAlive = false;
        await world.RoundAsync();
        world.Board.State!.Replicas[1].Message.ShouldBe("connection refused");
        world.Board.GateWhys["policy-1-0"].ShouldBe("connection refused");
        world.Board.State!.Replicas[0].Message.ShouldBeNull();
    }
}
