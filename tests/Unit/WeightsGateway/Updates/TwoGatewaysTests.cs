using Trestle.WeightsGateway.Tests.Fakes;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Tests.Updates;

/// <summary>A gateway is still there when the one after it takes the board.</summary>
public sealed class TwoGatewaysTests
{
    [Theory]
    [InlineData("pause")]
    [InlineData("start")]
    [InlineData("update")]
    [InlineData("finish")]
    [InlineData("cache")]
    [InlineData("look")]
    [InlineData("resume")]
    public async Task The_old_one_takes_no_further_step(string call)
    {
        using var world = await SimWorld.ReadyAsync(3);
        await world.InitAsync();
        var (taken, after) = (false, new List<string>());
        world.Strike = (_, which) =>
        {
            if (taken && which is not ("look" or "load")) after.Add(which);
            if (!taken && which == call && (call != "look" || world.Board.State!.Weights.Phase == "Verifying"))
            {
                taken = true;
                world.Board.Take();
            }

            return SimFault.None;
        };
        (await Should.ThrowAsync<RefusalException>(() => world.PushAsync("1"))).Status.ShouldBe(503);
        taken.ShouldBeTrue();

        // The rest of the step that was on its way; here no filter stands between.
        after.Distinct().ShouldBe(call == "look" ? [] : [call]);
        after.Clear();
        var (writes, gates) = (world.Board.Writes, world.Board.GateWrites.Count);
        await world.RoundsAsync(TimeSpan.FromMinutes(20));
        after.ShouldBeEmpty();
        (world.Board.Writes, world.Board.GateWrites.Count).ShouldBe((writes, gates));
    }

    [Fact]
    public async Task The_old_one_takes_no_further_part_of_the_weights()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        await world.RunAsync(world.Updates.StartAsync);
        await world.UpdateAsync();
        world.Board.Take();
        var calls = world[0].Calls.Count;
        (await Should.ThrowAsync<RefusalException>(world.UpdateAsync)).Message.ShouldContain("another gateway has taken over");
        world[0].Calls.Count.ShouldBe(calls);
    }

    [Fact]
    public async Task The_old_one_goes_on_giving_requests_to_replicas_that_the_new_one_lets_serve()
    {
        using var world = await SimWorld.ReadyAsync(2);
        await world.InitAsync();
        await world.PushAsync("1");
        var there = world.Board.Take();
        there.Weights.Histogram!.Add(new() { Version = "2", Replicas = 1 });
        await world.Board.WriteAsync(there, TestContext.Current.CancellationToken);
        world[0].Version = "2";
        await world.RoundAsync();
        await world.RoundAsync();
        await world.RoundAsync();
        world.Fleet.Rotation.Select(member => member.Name).ShouldBe(["policy-0-0"]);
    }
}
