using Trestle.Testing;
using Trestle.Testing.Slurm;

namespace Trestle.EndToEnd.Tests;

/// <summary>A plane that comes and goes beside a real Slurm, which it reaches by SSH and by commands on its own machine.</summary>
public sealed class SlurmLifecycleTests
{
    [Fact]
    public async Task Jobs_run_on_while_the_plane_is_down_and_are_found_again_by_ssh_and_on_this_machine()
    {
        SlurmParts.Need();
        await using var slurm = await SlurmCluster.StartAsync();
        using var files = new TemporaryDirectory();
        string[] attached =
        [
            "--slurm", $"alps=ssh://{slurm.A.Name}@{slurm.Host}:{slurm.Port}?key={files.Write("key", slurm.A.Ed25519Key)}&known-hosts={files.Write("hosts", slurm.KnownHosts)}&poll=1s&partition=gpu",
            "--slurm", $"here=local?poll=1s&partition=gpu&work-root={files["work"]}",
        ];
        await using var plane = await LocalPlane.StartAsync(nodes: 1, variables: new Dictionary<string, string?> { ["SLURM_CONF"] = slurm.ConfigFile }, more: attached);
        (await plane.TrestleAsync("infra")).ShouldExit(0).Out.ShouldMatch(@"here +gpu +up ");
        var go = Path.Combine(slurm.A.Home, "go");
        foreach (var place in new[] { "alps", "here" })
            (await plane.TrestleAsync("launch", "--name", $"on-{place}", "--infra", $"slurm/{place}", "--", "sh", "-c", $"until [ -e {go} ]; do sleep 0.2; done; echo went on; exit 5")).ShouldExit(0);
        var ids = new List<string>();
        foreach (var place in new[] { "alps", "here" })
            ids.Add((string)(await plane.PhaseAsync("trainingjobs", $"on-{place}", ["Running"], TimeSpan.FromSeconds(60)))["status"]!["placement"]!["slurm"]!["jobId"]!);

        (await plane.TrestleAsync("local", "down", "--state", plane.State)).ShouldExit(0);
        (await slurm.RunAsRootAsync("squeue -h -t R -o %i")).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(ids, ignoreOrder: true);
        (await plane.TrestleAsync(["local", "up", "--detach", "--state", plane.State, .. attached])).ShouldExit(0);
        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);
        foreach (var (place, id) in new[] { "alps", "here" }.Zip(ids))
        {
            var ended = await plane.PhaseAsync("trainingjobs", $"on-{place}", ["Failed"], TimeSpan.FromSeconds(60));
            ((string?)ended["status"]!["placement"]!["slurm"]!["jobId"], (int?)ended["status"]!["exit"]!["code"], (int?)ended["status"]!["attempt"]).ShouldBe((id, 5, 1));
            (await plane.TrestleAsync("logs", $"on-{place}")).ShouldExit(0).Out.ShouldContain("went on");
        }

        (await slurm.RunAsRootAsync("sacct -X -n -a -o jobid")).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2, "none was sent twice");
    }
}
