using System.Text.Json.Nodes;
using Trestle.Testing;
using SlurmCluster = Trestle.Testing.Slurm.SlurmCluster;
using SlurmFixture = Trestle.Testing.Slurm.SlurmFixture;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>TrainingJobs with a placement on Slurm: operator, bridge, SSH, Slurm, all of them real.</summary>
[Collection(SlurmCollection.Name)]
public sealed class SlurmJobTests(SlurmFixture fixture) : IAsyncLifetime
{
    private SlurmCluster _slurm = null!;

    public async ValueTask InitializeAsync() => _slurm = await fixture.HealthyAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_job_runs_on_slurm_and_says_so_with_its_secrets_kept()
    {
        await using var world = await SlurmWorld.OpenAsync(_slurm);
        await world.SecretAsync("default", "wandb", "key", "s3cret-of-wandb");
        await world.SubmitAsync("sft", "test \"$KEY\" = \"$(printf s3cret; echo -of-wandb)\" && echo \"rank $TRESTLE_NODE_RANK of $TRESTLE_NUM_NODES with $TRESTLE_NUM_GPUS_PER_NODE GPUs\"; sleep 3", spec =>
        {
            spec["resources"] = new JsonObject { ["accelerators"] = "H100:8" };
            spec["env"] = JsonNode.Parse("""[{"name":"KEY","valueFrom":{"secretKeyRef":{"name":"wandb","key":"key"}}}]""");
        });
        var running = await world.UntilAsync("sft", "Running");
        ((string?)running["message"]).ShouldBe("2/2 nodes running on slurm/alps");
        ((string?)running["placement"]!["slurm"]!["jobId"]).ShouldNotBeNullOrEmpty();
        running["nodes"]!["ranks"]!.AsArray().Select(rank => (string?)rank!["node"]).ShouldBe(["gpu1", "gpu2"]);
        await world.UntilAsync("sft", "Succeeded");
        (await _slurm.RunAsRootAsync($"cat {_slurm.A.Home}/.trestle/*/rank-1.log")).Out.ShouldContain("rank 1 of 2 with 8 GPUs");
        var everything = (await world.Api.ReadAsync("apis/trestle.dev/v1alpha1/slurmjobs", TestContext.Current.CancellationToken))!.ToJsonString() + world.Bridge.Log;
        everything.ShouldNotContain("s3cret-of-wandb");
    }

    [Fact]
    public async Task A_failed_setup_is_the_exit_of_the_job_and_an_exit_code_that_recovers_starts_it_again()
    {
        await using var world = await SlurmWorld.OpenAsync(_slurm);
        await world.SubmitAsync("setup", "true", spec => spec["setup"] = "[ $TRESTLE_NODE_RANK = 0 ] || { echo no such package; exit 3; }; sleep 60");
        await world.SubmitAsync("again", "[ $TRESTLE_ATTEMPT = 2 ] || exit 7", spec => spec["recovery"] = JsonNode.Parse("""{"recoverOnExitCodes":[7],"backoff":{"initial":"0s"}}"""));
        var failed = await world.UntilAsync("setup", "Failed");
        ((string?)failed["reason"], (int?)failed["exit"]!["rank"], (int?)failed["exit"]!["code"], (string?)failed["exit"]!["stage"]).ShouldBe(("SetupFailed", 1, 3, "Setup"));
        ((string)failed["exit"]!["message"]!).ShouldContain("no such package");
        var recovered = await world.UntilAsync("again", "Succeeded");
        ((int?)recovered["attempt"], (int?)recovered["restarts"]!["recovered"]).ShouldBe((2, 1));
    }

    [Fact]
    public async Task A_cancelled_job_has_time_to_save_and_is_gone_from_slurm()
    {
        await using var world = await SlurmWorld.OpenAsync(_slurm);
        await world.SubmitAsync("long", "trap 'sleep 1; echo saved; exit 0' TERM; echo training; for i in $(seq 1000); do sleep 0.1; done", spec => spec["terminationGracePeriod"] = "20s");
        var running = await world.UntilAsync("long", "Running");
        await Condition.UntilAsync("both ranks train", async () => await SayAsync("training") == 2, TimeSpan.FromMinutes(1), world.ExplainAsync);
        await world.CancelAsync("long");
        await world.UntilAsync("long", "Cancelled");
        (await _slurm.RunAsRootAsync($"squeue -h -j {running["placement"]!["slurm"]!["jobId"]} -t PD,R,CG")).Out.Trim().ShouldBeEmpty();
        (await SayAsync("saved")).ShouldBe(2);

        async Task<int> SayAsync(string word) => (await _slurm.RunAsRootAsync($"cat {_slurm.A.Home}/.trestle/*/rank-*.log")).Out.Split('\n').Count(line => line == word);
    }

    [Fact]
    public async Task A_killed_bridge_a_dead_sshd_and_a_stopped_slurmctld_end_no_job_and_start_none_twice()
    {
        await using var world = await SlurmWorld.OpenAsync(_slurm);
        for (var job = 0; job < 4; job++) await world.SubmitAsync($"steady-{job}", "for i in $(seq 250); do sleep 0.1; done", spec => spec["nodes"] = 1);
        await world.KillBridgeAsync();
        await world.UntilAsync("steady-0", "Running");
        await _slurm.KillAsync("connections", "sshd");
        await Condition.UntilAsync("lost contact is told", async () => (string?)(await world.StatusAsync("steady-0"))["reason"] == "ContactLost", TimeSpan.FromMinutes(1), world.ExplainAsync);
        ((string?)(await world.StatusAsync("steady-0"))["phase"]).ShouldBe("Running");
        await _slurm.StartAsync("sshd");
        await _slurm.StopAsync("slurmctld");
        await world.KillBridgeAsync();
        await _slurm.StartAsync("slurmctld");
        for (var job = 0; job < 4; job++) ((int?)(await world.UntilAsync($"steady-{job}", "Succeeded"))["attempt"]).ShouldBe(1);
        var names = (await _slurm.RunAsRootAsync("sacct -X -n -P -o JobName,State")).Out.Split('\n').Where(line => line.Contains("-a1|COMPLETED", StringComparison.Ordinal)).ToList();
        names.ShouldBeUnique("no attempt was sent twice");
    }
}
