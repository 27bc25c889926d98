using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;

namespace Trestle.Operator.Tests.Launch;

public sealed class CacheMountsTests
{
    [Fact]
    public void The_user_sees_the_files_of_a_cache_and_a_sidecar_all_of_it()
    {
        var pod = APod(_ => { });
        var sidecar = pod.Spec.InitContainers[0];
        (sidecar.Name, sidecar.RestartPolicy, sidecar.Image).ShouldBe(("cachemount-0", "Always", "node:1"));
        sidecar.Command.ShouldBe([
            "trestle-node", "cachemount", "serve", "--cache", "/trestle/cache/0", "--front", "Directory", "--store", "s3://b/team/run", "--name", "sft-1-a4", "--run", "uid-1", "--attempt", "4", "--nodes", "3", "--rank", "1",
            "--checkpoints", "epoch=*,last", "--size", "1099511627776", "--fetch", "true",
            "--report", "http://operator:8090/mount/uid-1/4/1/0", "--token-file", "/trestle/token/token", "--flush-request", "/trestle/run/flush-0", "--flush-answer", "/trestle/run/flushed-0"]);
        sidecar.StartupProbe.Exec.Command.ShouldBe(["trestle-node", "cachemount", "status", "--socket", "/trestle/cache/0/state/socket"]);
        var seen = pod.MainContainer().VolumeMounts.Single(mount => mount.MountPath == "/c");
        (seen.Name, seen.SubPath, seen.ReadOnlyProperty).ShouldBe(("mount-0", "files", null));
        pod.VolumeAt("/c").EmptyDir.ShouldNotBeNull().SizeLimit.ShouldBeNull();
    }

    [Fact]
    public void Credentials_reach_the_sidecar_and_nobody_else()
    {
        var pod = APod(_ => { });
        pod.Spec.InitContainers[0].Env.ShouldAllBe(variable => variable.ValueFrom.SecretKeyRef.Name == "s3");
        pod.Spec.InitContainers.Skip(1).Concat(pod.Spec.Containers).SelectMany(container => container.Env ?? []).ShouldAllBe(variable => variable.ValueFrom == null);
        pod.MainContainer().VolumeMounts.ShouldNotContain(mount => mount.Name == PodVolumes.TokenVolume);
    }

    [Fact]
    public void The_end_waits_for_what_is_written_unless_the_storage_says_otherwise()
    {
        Waited(APod(_ => { })).ShouldBe("0");
        Waited(APod(mount => mount.ReadOnly = true)).ShouldBeNull();
        Waited(APod(mount => mount.Mode = MountMode.Copy)).ShouldBeNull();
        Waited(APod(_ => { }, storage => storage.Flush = FlushMode.Background)).ShouldBeNull();
    }

    [Fact]
    public void The_grace_period_is_longer_where_something_may_be_left_to_send()
    {
        APod(_ => { }).Spec.TerminationGracePeriodSeconds.ShouldBe(300);
        APod(mount => mount.ReadOnly = true).Spec.TerminationGracePeriodSeconds.ShouldBe(60);
    }

    [Theory]
    [InlineData(null, "emptyDir")]
    [InlineData("LocalSSD", "emptyDir")]
    [InlineData("Memory", "memory")]
    [InlineData("/nvme/", "/nvme/research/uid-1/1-0")]
    public void The_medium_says_where_the_cache_is(string? medium, string where)
    {
        var volume = APod(_ => { }, storage => storage.Cache = new StorageCache { Medium = medium }).VolumeAt("/c");
        (volume.HostPath?.Path ?? (volume.EmptyDir.Medium == "Memory" ? "memory" : "emptyDir")).ShouldBe(where);
    }

    [Fact]
    public void A_copy_is_fetched_before_anything_else_and_has_no_sidecar()
    {
        var pod = APod(mount => mount.Mode = MountMode.Copy);
        var copier = pod.Spec.InitContainers[0];
        copier.Command.ShouldBe(["trestle-node", "cachemount", "copy", "--store", "s3://b/team/run", "--into", "/c"]);
        copier.RestartPolicy.ShouldBeNull();
        copier.VolumeMounts.Single().MountPath.ShouldBe("/c");
        pod.Spec.InitContainers.ShouldNotContain(container => container.Name.StartsWith("cachemount"));
    }

    [Fact]
    public void A_bucket_may_be_mounted_straight()
    {
        var pod = APod(mount => (mount.Storage, mount.Source, mount.SubPath) = (null, "s3://data/c4", null));
        pod.Spec.InitContainers[0].Command.ShouldContain("s3://data/c4");
        pod.Spec.InitContainers[0].Env.ShouldBeNull();
    }

    [Fact]
    public void Sidecars_run_as_the_pod_does_where_that_is_said()
    {
        APod(_ => { }).Spec.InitContainers[0].SecurityContext.RunAsUser.ShouldBe(0);
        APod(_ => { }, change: spec => spec.PodTemplate = new() { ["securityContext"] = new System.Text.Json.Nodes.JsonObject { ["runAsUser"] = 1000 } }).Spec.InitContainers[0].SecurityContext.ShouldBeNull();
    }

    private static string? Waited(V1Pod pod) => pod.MainContainer().Env?.SingleOrDefault(variable => variable.Name == "TRESTLE_FLUSHED_MOUNTS")?.Value;

    private static V1Pod APod(Action<StorageMount> mount, Action<StorageSpec>? storage = null, Action<TrainingJobSpec>? change = null)
    {
        var spec = new StorageSpec { S3 = new S3Storage { Bucket = "b", Prefix = "team", CredentialsSecretRef = new NameReference { Name = "s3" } }, Checkpoints = ["epoch=*", "last"], Cache = new StorageCache { Size = "1Ti" } };
        storage?.Invoke(spec);
        var job = Sample.Job(asked =>
        {
            asked.Mounts = [new StorageMount { Path = "/c", Storage = "ckpts", Mode = MountMode.MountCached, SubPath = "run" }];
            mount(asked.Mounts[0]);
            change?.Invoke(asked);
        });
        return LaunchObjects.Pod(job, Sample.Settings with { NodeImage = "node:1" }, new Dictionary<string, Storage> { ["ckpts"] = new() { Metadata = new V1ObjectMeta { Name = "ckpts" }, Spec = spec } }, 1, 4);
    }
}
