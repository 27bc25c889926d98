using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Replicas;
using Trestle.WeightsGateway.Tests.Fakes;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Tests.Updates;

public sealed class StorageUpdatesTests
{
    [Theory]
    [InlineData("25%", 8, 2)]
    [InlineData("25%", 3, 1)]
    [InlineData("100%", 4, 3)]
    [InlineData("2", 8, 2)]
    [InlineData("0", 8, 1)]
    [InlineData("9", 4, 3)]
    [InlineData("50%", 1, 1)]
    public void A_batch_is_never_all_of_several(string maxUnavailable, int replicas, int size) => RollingPlanner.BatchOf(maxUnavailable, replicas).ShouldBe(size);

    [Fact]
    public async Task A_roll_takes_some_out_at_a_time()
    {
        using var world = await SimWorld.ReadyAsync(4, Rules(WeightsStrategy.Rolling));
        var least = int.MaxValue;
        world.Strike = (_, call) =>
        {
            if (call == "reload") least = Math.Min(least, world.Fleet.Rotation.Count);
            return SimFault.None;
        };
        await world.RunAsync(() => world.Storage.OnceAsync(CancellationToken.None));
        least.ShouldBe(3);
        world.Engines.ShouldAllBe(engine => engine.Version == "7" && !engine.IsPaused);
        world.Board.State!.Weights.ServingVersion.ShouldBe("7");
    }

    [Fact]
    public async Task Of_versions_declared_while_one_is_on_its_way_the_newest_is_taken()
    {
        using var world = await SimWorld.ReadyAsync(2, Rules(WeightsStrategy.Barrier));
        world.Strike = (_, call) =>
        {
            if (call == "reload") world.Rules = world.Rules with { Declared = world.Rules.Declared == "7" ? "8" : "9" };
            return SimFault.None;
        };
        await world.RunAsync(() => world.Storage.OnceAsync(CancellationToken.None));
        world.Engines.ShouldAllBe(engine => engine.Version == "7");
        await world.RunAsync(() => world.Storage.OnceAsync(CancellationToken.None));
        world.Engines.ShouldAllBe(engine => engine.Version == "9" && !engine.IsPaused);
    }

    [Theory]
    [InlineData(WeightsStrategy.Rolling, SimFault.KillGatewayAfter)]
    [InlineData(WeightsStrategy.Rolling, SimFault.KillGatewayBefore)]
    [InlineData(WeightsStrategy.Barrier, SimFault.KillGatewayAfter)]
    public async Task A_gateway_that_is_killed_while_replicas_read_lets_none_serve_half_of_it(WeightsStrategy strategy, SimFault fault)
    {
        using var world = await SimWorld.ReadyAsync(4, Rules(strategy));
        var struck = false;
        world.Strike = (_, call) => call == "reload" && !struck && (struck = true) ? fault : SimFault.None;
        await Should.ThrowAsync<GatewayDiedException>(() => world.RunAsync(() => world.Storage.OnceAsync(CancellationToken.None)));
        world.Start();
        await world.RecoverAsync();
        world.Fleet.Members.Where(member => ((SimEngine)member.Engine).IsPaused).ShouldAllBe(member => member.State == ReplicaState.Quarantined);
        await world.RunAsync(() => world.Storage.OnceAsync(CancellationToken.None));
        await world.RoundAsync();
        world.Engines.ShouldAllBe(engine => engine.Version == "7" && !engine.IsPaused);
        world.Fleet.Rotation.Count.ShouldBe(4);
    }

    [Theory]
    [InlineData(WeightsStrategy.Rolling, 3)]
    [InlineData(WeightsStrategy.Barrier, 0)]
    public async Task A_version_that_nobody_can_read_takes_no_more_out_however_often_it_is_tried_and_the_right_one_is_taken(WeightsStrategy strategy, int serving)
    {
        using var world = await SimWorld.ReadyAsync(4, Rules(strategy));
        world.Strike = (_, call) => call == "reload" && world.Rules.Declared == "7" ? SimFault.Refuse : SimFault.None;
        for (var tries = 0; tries < 4; tries++)
        {
            await world.RunAsync(() => world.Storage.OnceAsync(CancellationToken.None));
            await world.RoundsAsync(TimeSpan.FromSeconds(40));
            world.Fleet.Rotation.Count.ShouldBe(serving);
        }

        world.Rules = world.Rules with { Declared = "8" };
        await world.RunAsync(() => world.Storage.OnceAsync(CancellationToken.None));
        await world.RoundAsync();
        world.Engines.ShouldAllBe(engine => engine.Version == "8" && !engine.IsPaused);
        world.Fleet.Rotation.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_roll_whose_step_can_not_be_written_takes_none_out()
    {
        using var world = await SimWorld.ReadyAsync(4, Rules(WeightsStrategy.Rolling));
        world.Board.Failing = 1;
        await world.RunAsync(() => world.Storage.OnceAsync(CancellationToken.None));
        await world.RoundAsync();
        world.Fleet.Rotation.Count.ShouldBe(4);
        world.Engines.ShouldAllBe(engine => !engine.IsPaused);
    }

    private static WeightsRules Rules(WeightsStrategy strategy) => new() { Source = WeightsSourceType.Storage, UriTemplate = "/ckpt/{version}", Declared = "7", Strategy = strategy };
}
