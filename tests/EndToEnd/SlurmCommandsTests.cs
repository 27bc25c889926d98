using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>The commands on jobs that run on a real Slurm, attached by trestle local up --slurm.</summary>
public sealed class SlurmCommandsTests(SlurmPlane world) : IClassFixture<SlurmPlane>, IAsyncLifetime
{
    private LocalPlane Plane => world.Plane;

    public ValueTask InitializeAsync()
    {
        SlurmParts.Need();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Logs_are_followed_to_the_jobs_exit_code_and_read_by_rank_and_tail()
    {
        (await LaunchAsync("talk", "--nodes", "2", "--", "sh", "-c", "for i in 1 2 3; do echo \"rank $TRESTLE_NODE_RANK line $i\"; sleep 1; done; [ $TRESTLE_NODE_RANK = 1 ] || sleep 2; exit 7")).ShouldExit(0);
        var followed = await Plane.TrestleAsync("logs", "talk", "-f");
        followed.ShouldExit(7);
        for (var rank = 0; rank < 2; rank++)
            followed.Out.Split('\n').Where(line => line.StartsWith($"[talk-{rank}] rank", StringComparison.Ordinal)).ShouldBe(Enumerable.Range(1, 3).Select(line => $"[talk-{rank}] rank {rank} line {line}"), followed.ToString());
        (await Plane.TrestleAsync("logs", "talk", "--rank", "1", "--tail", "1")).ShouldExit(0).Out.ShouldBe("rank 1 line 3\n");
        (await Plane.TrestleAsync("logs", "talk", "--attempt", "2")).ShouldExit(3).Error.ShouldContain("no rank of job talk matches");
        (await Plane.TrestleAsync("logs", "talk", "--since", "5m")).ShouldExit(0).Error.ShouldContain("lines of Slurm jobs have no times");
        (await Plane.TrestleAsync("history")).ShouldExit(0).Out.ShouldMatch(@"talk +\S+ +slurm/alps +Failed +7 ");
    }

    [Fact]
    public async Task A_job_is_seen_described_and_cancelled()
    {
        (await LaunchAsync("long", "--nodes", "2", "--gpus", "H100:8", "--", "sleep", "600")).ShouldExit(0);
        var job = await Plane.PhaseAsync("trainingjobs", "long", ["Running"], TimeSpan.FromSeconds(60));
        var id = (string)job["status"]!["placement"]!["slurm"]!["jobId"]!;
        (await Plane.TrestleAsync("queue")).ShouldExit(0).Out.ShouldMatch(@"long +\S+ +- +slurm/alps +16 +Running ");
        var page = (await Plane.TrestleAsync("describe", "long")).ShouldExit(0).Out;
        page.ShouldContain($"Placement:  slurm/alps, Slurm job {id}");
        page.ShouldMatch($@"1 +alps +{id} +RUNNING +\S+ +\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ +gpu\d gpu\d ");
        (await Plane.TrestleAsync("infra")).ShouldExit(0).Out.ShouldMatch(@"alps +gpu +up +h100 +\d+ +32 +4 +\S+ +-\n");
        (await Plane.TrestleAsync("cancel", "long")).ShouldExit(0);
        await Plane.PhaseAsync("trainingjobs", "long", ["Cancelled"], TimeSpan.FromSeconds(60));
        (await world.Slurm.RunAsRootAsync($"squeue -h -j {id} -t PD,R,CG")).Out.Trim().ShouldBeEmpty();
    }

    [Fact]
    public async Task What_sbatch_says_is_in_the_description()
    {
        (await LaunchAsync("fine", "--", "true")).ShouldExit(0);
        (await Plane.TrestleAsync("launch", "--name", "wrong", "--infra", "slurm/alps/nowhere", "--", "true")).ShouldExit(0);
        await Plane.PhaseAsync("trainingjobs", "wrong", ["Failed"], TimeSpan.FromSeconds(60));
        (await Plane.TrestleAsync("describe", "wrong")).ShouldExit(0).Out.ShouldContain("nowhere");
        await Plane.PhaseAsync("trainingjobs", "fine", ["Succeeded"], TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_cluster_that_cant_be_used_is_told_and_nothing_is_left_running()
    {
        using var files = new TemporaryDirectory();
        var state = files["state"];
        var stranger = await Plane.TrestleAsync("local", "up", "--detach", "--state", state, "--slurm", world.Attachment(hosts: files.Write("hosts", world.Slurm.KnownHosts.Replace($":{world.Slurm.Port} ", ":1 ", StringComparison.Ordinal))));
        stranger.ShouldExit(1).Error.ShouldStartWith($"trestle: Slurm cluster alps ({world.Slurm.A.Name}@127.0.0.1:{world.Slurm.Port}) can't be used: ");
        stranger.Error.ShouldContain("known_hosts has no key for");
        Processes.Naming(state).ShouldBeEmpty();
        (await Plane.TrestleAsync("local", "up", "--detach", "--state", state, "--slurm", world.Attachment(key: files["gone"]))).ShouldExit(2).Error.ShouldContain($"key: there is no file {files["gone"]}");
        (await Plane.TrestleAsync("local", "up", "--detach", "--state", Plane.State, "--slurm", world.Attachment("other"))).ShouldExit(1).Error.ShouldContain("a plane without Slurm cluster other runs already");
        (await Plane.TrestleAsync("local", "down", "--state", state, "--purge")).ShouldExit(0);
    }

    private Task<CommandResult> LaunchAsync(string name, params string[] arguments) => Plane.TrestleAsync(["launch", "--name", name, "--infra", "slurm/alps", .. arguments]);
}
