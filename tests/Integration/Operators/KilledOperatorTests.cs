using System.Globalization;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Operators;

/// <summary>kill -9 of the operator's process under load, at moments of chance: 30 times, or TRESTLE_KILLS.</summary>
public sealed class KilledOperatorTests
{
    private const int Seed = 20261126;
    private static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("TRESTLE_KILLS") ?? "30", CultureInfo.InvariantCulture);

    [Fact]
    public async Task After_many_kills_no_gang_was_partial_nothing_leaks_and_every_job_ends()
    {
        await using var world = await HollowWorld.OpenAsync(nodes: 12);
        var chance = new Random(Seed);
        var submitted = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            await using var victim = OperatorProcess.Start(world.Cluster.Kubeconfig, Settings);
            for (var open = await world.UnendedAsync(); open < 20; open++) await SubmitAsync(world, chance, submitted++);
            await victim.UntilAsync("leading");
            await Task.Delay(TimeSpan.FromMilliseconds(chance.Next(0, 700)), TimeProvider.System, TestContext.Current.CancellationToken);
            victim.Signal("KILL");
        }

        await using var last = OperatorProcess.Start(world.Cluster.Kubeconfig, Settings);
        await world.AllEndWellAsync(last, TimeSpan.FromMinutes(3));
        submitted.ShouldBeGreaterThan(Kills / 2, "the kills should have met work");
        await world.CleanAwayAsync(last);
    }

    // One at a time: the lease of a killed one would only be waited for.
    private static readonly Dictionary<string, string?> Settings = new() { ["TRESTLE_LEADER_ELECTION"] = "false" };

    private static Task SubmitAsync(HollowWorld world, Random chance, int number)
    {
        var fate = chance.Next(10) switch { 0 => "never", 1 or 2 => "once", _ => "ok" };
        return world.SubmitAsync($"{fate}-{number}", ranks: chance.Next(1, 9), gpus: chance.Next(1, 9));
    }
}
