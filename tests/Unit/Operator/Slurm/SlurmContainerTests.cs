using System.Diagnostics;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Slurm;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.Slurm;

/// <summary>How the script of an attempt runs an image, with commands that stand in for those of a cluster.</summary>
public sealed class SlurmContainerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("trestle-container-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public SlurmContainerTests()
    {
        Directory.CreateDirectory(At("bin"));
        Directory.CreateDirectory(At("attempt"));
        Command("scontrol", "case $2 in hostnames) echo node1 ;; *) echo 'NodeName=node1 NodeAddr=10.0.0.1 Port=1' ;; esac");
        Command("scancel", "true");
        Command("srun", """
            if [ "$1" = --help ]; then cat "$STAND_IN/srun.help"; exit; fi
            printf '%s\n' "$@" >"$STAND_IN/srun.arguments"
            while [ "${1#--}" != "$1" ]; do shift; done
            SLURM_NODEID=0 exec "$@"
            """);
        File.WriteAllText(At("srun.help"), "Usage: srun [OPTIONS...]\n");
    }

    [Fact]
    public async Task Pyxis_is_used_where_srun_knows_it()
    {
        await File.WriteAllTextAsync(At("srun.help"), "  --container-image=[USER@][REGISTRY#]IMAGE[:TAG]|PATH\n", Ct);
        Apptainer();
        (await RunAsync(SlurmContainer.Auto)).ShouldContain("ran in attempt 1");
        (await File.ReadAllLinesAsync(At("srun.arguments"), Ct)).ShouldContain("--container-image=lab/train:1");
        (await File.ReadAllLinesAsync(At("srun.arguments"), Ct)).ShouldContain($"--container-mounts={At("attempt")}:{At("attempt")}");
        File.Exists(At("apptainer.arguments")).ShouldBeFalse();
    }

    [Fact]
    public async Task Else_apptainer_is_used()
    {
        Apptainer();
        (await RunAsync(SlurmContainer.Auto)).ShouldContain("ran in attempt 1");
        var arguments = await File.ReadAllLinesAsync(At("apptainer.arguments"), Ct);
        arguments[..3].ShouldBe(["exec", "--nv", "--bind"]);
        arguments[3].ShouldStartWith($"{At("attempt")},");
        arguments[4].ShouldBe("docker://lab/train:1");
        (await File.ReadAllTextAsync(At("srun.arguments"), Ct)).ShouldNotContain("--container");
    }

    [Fact]
    public async Task Else_the_job_runs_on_the_host_and_its_log_says_so()
    {
        var log = await RunAsync(SlurmContainer.Auto);
        log.ShouldContain("neither pyxis nor apptainer is here: the job runs on the host, not in image lab/train:1");
        log.ShouldContain("ran in attempt 1");
    }

    [Fact]
    public async Task What_the_cluster_says_is_not_guessed()
    {
        Apptainer();
        (await RunAsync(SlurmContainer.None)).ShouldNotContain("neither");
        File.Exists(At("apptainer.arguments")).ShouldBeFalse();
        (await RunAsync(SlurmContainer.Apptainer)).ShouldContain("ran in attempt 1");
        File.Exists(At("apptainer.arguments")).ShouldBeTrue();
        (await RunAsync(SlurmContainer.Pyxis)).ShouldContain("ran in attempt 1");
        (await File.ReadAllTextAsync(At("srun.arguments"), Ct)).ShouldContain("--container-image=lab/train:1");
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string At(string name) => Path.Combine(_directory, name);

    private void Apptainer() => Command("apptainer", """
        printf '%s\n' "$@" >"$STAND_IN/apptainer.arguments"
        while [ "${1#docker://}" = "$1" ]; do shift; done
        shift
        exec "$@"
        """);

    private void Command(string name, string body)
    {
        File.WriteAllText(At($"bin/{name}"), $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(At($"bin/{name}"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private async Task<string> RunAsync(SlurmContainer how)
    {
        var job = AJob.Named().Nodes(1).With(job => (job.Spec.Image, job.Spec.Run) = ("lab/train:1", "echo ran in attempt $TRESTLE_ATTEMPT")).Build();
        var cluster = new SlurmCluster { Spec = new SlurmClusterSpec { Container = how } };
        await File.WriteAllTextAsync(At("script"), SlurmJobBuilder.Build(new SlurmInput(job, new SlurmPlacement { Cluster = "alps" }, cluster, 1)).Spec.Script, Ct);
        var start = new ProcessStartInfo("sh", [At("script")]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in new[] { ("TRESTLE_ATTEMPT_DIR", At("attempt")), ("STAND_IN", _directory), ("SLURM_JOB_ID", "7"), ("SLURM_JOB_NODELIST", "node1"), ("PATH", $"{At("bin")}:{Environment.GetEnvironmentVariable("PATH")}") })
            start.Environment[name] = value;
        using var script = Process.Start(start)!;
        var error = script.StandardError.ReadToEndAsync(Ct);
        var said = await script.StandardOutput.ReadToEndAsync(Ct) + await error;
        await script.WaitForExitAsync(Ct);
        script.ExitCode.ShouldBe(0, said);
        return said;
    }
}
