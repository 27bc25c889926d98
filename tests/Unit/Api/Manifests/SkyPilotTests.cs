using k8s.Models;
using Trestle.Api.Manifests;
using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Tests.Manifests;

public sealed class SkyPilotTests
{
    [Theory]
    [InlineData("gpus: H100:8", "H100:8")]
    [InlineData("accelerators: H100", "H100:1")]
    [InlineData("gpus: h100:2", "H100:2")]
    [InlineData("accelerators: {H100: 4}", "H100:4")]
    [InlineData("accelerators: {H100: }", "H100:1")]
    [InlineData("accelerators: [H100:8, A100:8]", "H100:8")]
    [InlineData("accelerators: tpu-v5e", "tpu-v5e:1")]
    [InlineData("cpus: 4", null)]
    public void Accelerators_are_read_as_SkyPilot_writes_them(string resources, string? expected) =>
        Spec($"run: a\nresources:\n  {resources}\n").Resources!.Accelerators.ShouldBe(expected);

    [Theory]
    [InlineData("4", "4")]
    [InlineData("4+", "4")]
    [InlineData("0.5", "0.5")]
    public void Cpus_at_least_so_many_is_what_a_request_is(string written, string expected) =>
        Spec($"run: a\nresources: {{cpus: {written}}}\n").Resources!.Cpus.ShouldBe(expected);

    [Theory]
    [InlineData("32", "32G")]
    [InlineData("32+", "32G")]
    [InlineData("64GB", "64G")]
    [InlineData("64GiB", "64Gi")]
    [InlineData("64Gi", "64Gi")]
    [InlineData("512mb", "512M")]
    [InlineData("1.5TB+", "1.5T")]
    public void Memory_without_a_unit_is_gigabytes(string written, string expected) =>
        Spec($"run: a\nresources: {{memory: {written}}}\n").Resources!.Memory.ShouldBe(expected);

    [Fact]
    public void Everything_else_of_resources_finds_its_place()
    {
        var spec = Spec("""
            run: a
            resources:
              image_id: docker:ghcr.io/team/train:1
              priority: 7
              any_of:
              - infra: slurm/alps/gpu
              - infra: k8s/prod
              job_recovery:
                strategy: FAILOVER
                max_restarts_on_errors: 3
                recover_on_exit_codes: [75, 76]
            """);
        spec.Image.ShouldBe("ghcr.io/team/train:1");
        spec.Scheduling!.Priority.ShouldBe(7);
        spec.Placement!.Select(place => place.Slurm is { } slurm ? $"{slurm.Cluster}/{slurm.Partition}" : "kubernetes").ShouldBe(["alps/gpu", "kubernetes"]);
        spec.Recovery!.MaxRestarts.ShouldBe(3);
        spec.Recovery.RecoverOnExitCodes.ShouldBe([75, 76]);
    }

    [Fact]
    public void Mounts_by_source_by_name_and_as_a_copy()
    {
        var read = Read("""
            run: a
            envs: {DATA: datasets}
            file_mounts:
              /ckpts: {name: Team_Ckpts, store: s3}
              /data: {source: "s3://${DATA}/c4/", mode: mount_cached}
              /raw: s3://datasets
            """);
        var mounts = ((TrainingJob)read.Objects.Single()).Spec.Mounts!;
        mounts.Select(mount => (mount.Path, mount.Storage, mount.SubPath, mount.Mode)).ShouldBe(
        [
            ("/ckpts", "team-ckpts", null, MountMode.Mount),
            ("/data", "datasets", "c4", MountMode.MountCached),
            ("/raw", "datasets", null, MountMode.Copy),
        ]);
        read.Storages.Select(storage => (storage.Metadata.Name, storage.Spec.S3!.Bucket)).ShouldBe([("team-ckpts", "Team_Ckpts"), ("datasets", "datasets")]);
        read.Report.ShouldContain(line => line.Fate == Fate.NeedsYou && line.Text.Contains("Team_Ckpts"));
    }

    [Fact]
    public void Values_of_envs_stay_as_written() =>
        Spec("run: a\nenvs: {LR: 3e-4, STEPS: 0160, ON: yes, TEXT: 'a b'}\n").Env!.Select(variable => $"{variable.Name}={variable.Value}")
            .ShouldBe(["LR=3e-4", "STEPS=0160", "ON=yes", "TEXT=a b"]);

    [Fact]
    public void Secrets_reach_the_job_through_a_Secret_alone()
    {
        var read = Read("name: x\nrun: a\nsecrets: {TOKEN: hunter2}\n");
        var secret = read.Objects[0].ShouldBeOfType<V1Secret>();
        secret.StringData["TOKEN"].ShouldBe("hunter2");
        ManifestWriter.Write([read.Objects[1]]).ShouldNotContain("hunter2");
        var key = ((TrainingJob)read.Objects[1]).Spec.Env!.Single().ValueFrom!.SecretKeyRef!;
        (key.Name, key.Key).ShouldBe((secret.Metadata.Name, "TOKEN"));
        read.Report.ShouldAllBe(line => !line.Text.Contains("hunter2"));
    }

    [Fact]
    public void A_variable_without_a_value_may_come_from_the_command_line()
    {
        var read = ManifestReader.Read("run: a\nenvs: {A: }\nsecrets: {B: }\n", "f", ["A", "B"]);
        read.Errors.ShouldBeEmpty();
        ((TrainingJob)read.Objects.Single()).Spec.Env.ShouldBeNull();
    }

    [Fact]
    public void Names_become_names_that_hosts_can_have_and_the_report_says_so()
    {
        var read = Read("name: My_Run 2\nrun: a\n");
        read.Objects.Single().Metadata.Name.ShouldBe("my-run-2");
        read.Report.Single(line => line.Fate == Fate.NeedsYou).Text.ShouldBe("name My_Run 2 becomes my-run-2, because hosts are named after it");
    }

    [Fact]
    public void A_group_keeps_roles_and_delays_of_renamed_tasks_and_its_tasks_may_submit_jobs()
    {
        var group = (JobGroup)Read("""
            name: g
            execution: parallel
            primary_tasks: [Trainer_1]
            termination_delay: {default: 30, roll_out: 1m}
            inter_connection: true
            ---
            name: Trainer_1
            run: a
            ---
            name: roll_out
            run: b
            """).Objects.Single();
        group.Spec.Tasks.Select(task => (task.Name, task.Role, task.Job!.SubmitsJobs)).ShouldBe(
            [("trainer-1", TaskRole.Primary, true), ("roll-out", TaskRole.Auxiliary, true)]);
        group.Spec.TerminationDelay!.For("roll-out").ShouldBe(TimeSpan.FromMinutes(1));
        group.Spec.TerminationDelay.For("trainer-1").ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void A_task_alone_may_not_submit_jobs_and_may_have_no_name()
    {
        var job = (TrainingJob)Read("run: a\n").Objects.Single();
        job.Spec.SubmitsJobs.ShouldBeNull();
        (job.Metadata.Name, job.Metadata.GenerateName).ShouldBe((null, "job-"));
    }

    [Theory]
    [InlineData("workdir: ./code", "./code", null, null)]
    [InlineData("workdir: https://host/team/code.git", null, "https://host/team/code.git", null)]
    [InlineData("workdir: {url: 'https://host/c.git', ref: v1}", null, "https://host/c.git", "v1")]
    public void A_workdir_is_a_directory_or_a_repository(string workdir, string? path, string? url, string? reference)
    {
        var read = Read($"run: a\n{workdir}\n");
        var git = ((TrainingJob)read.Objects.Single()).Spec.Workdir?.Git;
        (read.LocalWorkdirs.SingleOrDefault().Path, git?.Url, git?.Ref).ShouldBe((path, url, reference));
    }

    [Fact]
    public void A_pod_config_is_handed_on()
    {
        var read = Read("run: a\nconfig: {kubernetes: {pod_config: {spec: {hostNetwork: true, priority: 3}}}}\n");
        ((TrainingJob)read.Objects.Single()).Spec.PodTemplate!.ToJsonString().ShouldBe("""{"spec":{"hostNetwork":true,"priority":3}}""");
        read.Report.ShouldContain(line => line.Fate == Fate.PassedThrough);
    }

    [Theory]
    [InlineData("resources: {use_spot: true}")]
    [InlineData("resources: {disk_size: 500}")]
    [InlineData("resources: {autostop: 10}")]
    [InlineData("resources: {ports: 8080}")]
    [InlineData("resources: {job_recovery: FAILOVER}")]
    [InlineData("resources: {accelerators: [H100, A100]}")]
    [InlineData("file_mounts: {/a: {name: b, persistent: false}}")]
    public void What_means_nothing_here_is_said_and_not_dropped_in_silence(string line) =>
        Read($"run: a\n{line}\n").Report.ShouldContain(told => told.Fate == Fate.NeedsYou && told.Line == 2);

    [Fact]
    public void Anchors_and_merge_keys_are_resolved() =>
        Spec("run: a\nresources: &base {cpus: 4}\nfile_mounts:\n  /a: &m {name: b, mode: MOUNT_CACHED}\n  /c:\n    <<: *m\n    name: d\n").Mounts!
            .Select(mount => (mount.Storage, mount.Mode)).ShouldBe([("b", MountMode.MountCached), ("d", MountMode.MountCached)]);

    private static ManifestResult Read(string text)
    {
        var read = ManifestReader.Read(text, "f");
        read.Errors.ShouldBeEmpty();
        return read;
    }

    private static TrainingJobSpec Spec(string text) => ((TrainingJob)Read(text).Objects.Single()).Spec;
}
