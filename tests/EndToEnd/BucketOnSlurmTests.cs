using System.Text.Json.Nodes;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.EndToEnd.Tests;

/// <summary>The published group with a bucket as its checkpoint store: the trainer on a real Slurm, the others on Kubernetes.</summary>
public sealed class BucketOnSlurmTests(SlurmPlane world) : IClassFixture<SlurmPlane>, IAsyncLifetime
{
    private FaultyS3? _server;

    private LocalPlane Plane => world.Plane;

    private FaultyS3 Server => _server ?? throw new InvalidOperationException("the S3 server has not started");

    public async ValueTask InitializeAsync()
    {
        SlurmParts.Need();
        _server = await FaultyS3.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_trainer_writes_into_the_bucket_from_slurm_though_its_mount_is_killed_twice()
    {
        (await Plane.KubectlAsync("patch", "slurmclusters.trestle.dev", "alps", "--type=merge", "-p", new JsonObject { ["spec"] = new JsonObject { ["nodeProgram"] = await InstallAsync() } }.ToJsonString())).ShouldExit(0);
        var group = new TrainEvalGroup(Plane, "apart");
        await BucketObjects.MakeAsync(Plane, Server, "apart-ckpts");
        // The other storage of the group is a directory that the cluster's user and this machine share.
        await BucketObjects.CreateAsync(Plane, new JsonObject
        {
            ["apiVersion"] = "trestle.dev/v1alpha1",
            ["kind"] = "Storage",
            ["metadata"] = new JsonObject { ["name"] = "hai-research" },
            ["spec"] = new JsonObject { ["file"] = new JsonObject { ["path"] = Path.Combine(world.Slurm.A.Home, "shared") } },
        });
        var killed = new HashSet<string>(StringComparer.Ordinal);
        Server.Delay = call =>
        {
            if (call.Kind == "put" && call.Key is "step-000020.json" or "step-000060.json" && killed.Add(call.Key)) KillMounts();
            return Task.CompletedTask;
        };
        // Slowly, so that an evaluation of its first checkpoint has its time before the end sweeps it.
        await group.LaunchAsync("--infra", "trainer=slurm/alps", "--env", "STEP_TIME=0.4");
        await group.EndAsync(async () => (await world.Slurm.RunAsRootAsync($"tail -n 30 {world.Slurm.A.Home}/.trestle/*/*.log {world.Slurm.A.Home}/.trestle/*/last-words")).ToString());

        killed.Count.ShouldBe(2);
        BucketObjects.Text(Server, "final.json").ShouldBe(await TrainEvalGroup.UndisturbedModelAsync());
        BucketObjects.ShouldReadBack(Server).ShouldBe(TrainEvalGroup.Steps / 20);
        Server.Objects.Keys.ShouldContain("evals/000020.json");
        var trainer = (await Plane.TrainingJobAsync(group.Trainer))!["status"]!;
        ((int)trainer["attempt"]!, (string?)trainer["placement"]!["slurm"]!["cluster"]).ShouldBe((1, "alps"));
        await Plane.UntilAsync("nothing of the mount is left", () => Task.FromResult(Mounts().Count == 0));
    }

    // The cluster's users have no way into the test's own directories.
    private async Task<string> InstallAsync()
    {
        var home = Path.Combine(world.Slurm.A.Home, "trestle-node");
        var dotnet = (await Command.RunAsync("sh", ["-c", "readlink -f \"$(command -v dotnet)\""])).ShouldExit(0).Out.Trim();
        (await Command.RunAsync("cp", ["-r", Path.GetDirectoryName(BuiltProgram.Find("Trestle.Node", "node", "trestle-node.dll"))!, home])).ShouldExit(0);
        var program = Path.Combine(home, "run");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\nexec {dotnet} {home}/trestle-node.dll \"$@\"\n", TestContext.Current.CancellationToken);
        (await Command.RunAsync("chmod", ["-R", "a+rX", home])).ShouldExit(0);
        File.SetUnixFileMode(program, (UnixFileMode)0x1ED);
        return program;
    }

    private void KillMounts()
    {
        foreach (var process in Mounts()) Processes.Signal(process.Id, "KILL");
    }

    private IReadOnlyList<RunningProcess> Mounts() =>
        [.. Processes.Naming(world.Slurm.A.Home).Where(process => process.CommandLine.Contains("cachemount", StringComparison.Ordinal) && process.CommandLine.Contains("serve", StringComparison.Ordinal) && process.CommandLine.Contains("trestle-node.dll", StringComparison.Ordinal))];
}
