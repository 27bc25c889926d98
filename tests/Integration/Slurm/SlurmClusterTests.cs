using Trestle.Testing;
using Trestle.Testing.Slurm;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>The fixture itself: its parts go and come back.</summary>
[Collection(SlurmCollection.Name)]
public sealed class SlurmClusterTests(SlurmFixture fixture) : IAsyncLifetime
{
    private SlurmCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await fixture.HealthyAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Slurmctld_stops_and_comes_back()
    {
        await _cluster.StopAsync("slurmctld");
        (await _cluster.RunAsRootAsync("scontrol ping")).Out.ShouldContain("DOWN");
        await _cluster.StartAsync("slurmctld");
        (await _cluster.RunAsync(_cluster.A, "scontrol ping")).ShouldExit(0).Out.ShouldContain("UP");
    }

    [Fact]
    public async Task Without_slurmdbd_the_queue_is_seen_and_accounting_is_not()
    {
        await _cluster.KillAsync("slurmdbd");
        (await _cluster.RunAsync(_cluster.A, "squeue")).ShouldExit(0);
        (await _cluster.RunAsync(_cluster.A, "sacct")).ExitCode.ShouldNotBe(0);
        await _cluster.StartAsync("slurmdbd");
        (await _cluster.RunAsync(_cluster.B, "sacct")).ShouldExit(0);
    }

    [Fact]
    public async Task A_killed_node_goes_down_and_is_idle_again_after_its_start()
    {
        await _cluster.KillAsync("slurmd.gpu3");
        await Condition.UntilAsync("gpu3 is down", async () => (await _cluster.RunAsRootAsync("sinfo -h -n gpu3 -o %T")).Out.StartsWith("down", StringComparison.Ordinal), explain: _cluster.LogsAsync);
        await _cluster.StartAsync("slurmd.gpu3");
        (await _cluster.RunAsRootAsync("sinfo -hN -n gpu3 -o %T")).ShouldExit(0).Out.Trim().ShouldBe("idle");
    }
}
