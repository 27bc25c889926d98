using System.Text;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;

namespace Trestle.Operator.Tests.Launch;

public sealed class LaunchObjectsTests
{
    [Fact]
    public void A_pod_is_gated_unbound_and_named_by_rank_and_attempt()
    {
        var pod = Sample.Pod();
        pod.Metadata.Name.ShouldBe("sft-1-a4");
        pod.Metadata.NamespaceProperty.ShouldBe("research");
        pod.Spec.SchedulingGates.Single().Name.ShouldBe("trestle.dev/admission");
        pod.Spec.NodeName.ShouldBeNull();
        pod.Spec.RestartPolicy.ShouldBe("Never");
        pod.Metadata.Labels.ShouldContainKeyAndValue(Labels.JobUid, "uid-1");
        pod.Metadata.Labels.ShouldContainKeyAndValue(Labels.Rank, "1");
        pod.Metadata.Labels.ShouldContainKeyAndValue(Labels.Attempt, "4");
        pod.Metadata.OwnerReferences.Single().Uid.ShouldBe("uid-1");
    }

    [Fact]
    public void A_job_by_itself_has_its_own_hosts_and_a_service_that_finds_them()
    {
        var pod = Sample.Pod();
        var service = LaunchObjects.Service(Sample.Job());
        (pod.Spec.Hostname, pod.Spec.Subdomain).ShouldBe(("sft-1", service.Metadata.Name));
        service.Spec.ClusterIP.ShouldBe("None");
        service.Spec.PublishNotReadyAddresses.ShouldBe(true);
        service.Spec.Selector.ShouldAllBe(label => pod.Metadata.Labels[label.Key] == label.Value);
    }

    [Fact]
    public void A_task_has_hosts_of_its_group()
    {
        var pod = LaunchObjects.Pod(Sample.Task("rl", "trainer"), Sample.Settings, Sample.Storages, 2, 1);
        (pod.Spec.Hostname, pod.Spec.Subdomain).ShouldBe(("trainer-2", "rl"));
        pod.Metadata.Labels.ShouldContainKeyAndValue(Labels.Task, "trainer");
        pod.Metadata.Labels.ShouldContainKeyAndValue(Labels.JobGroup, "rl");
    }

    [Fact]
    public void A_task_finds_the_services_of_its_group_as_files_and_nobody_else_does()
    {
        var task = Sample.Task("rl", "trainer");
        task.Metadata.Annotations = new Dictionary<string, string> { [Annotations.Services] = "policy,../x,reward" };
        var pod = LaunchObjects.Pod(task, Sample.Settings, Sample.Storages, 0, 1);
        pod.Spec.Volumes.Where(volume => volume.ConfigMap?.Optional == true).Select(volume => volume.ConfigMap.Name).ShouldBe(["rl-policy-endpoints", "rl-reward-endpoints"]);
        pod.MainContainer().VolumeMounts.Select(mount => mount.MountPath).ShouldContain("/trestle/services/policy");
        var alone = Sample.Job();
        alone.Metadata.Annotations = task.Metadata.Annotations;
        LaunchObjects.Pod(alone, Sample.Settings, Sample.Storages, 0, 1).Spec.Volumes.ShouldAllBe(volume => volume.ConfigMap == null || volume.ConfigMap.Optional != true);
    }

    [Fact]
    public void A_launched_job_belongs_to_the_group_and_keeps_its_own_hosts()
    {
        var pod = Sample.Pod(spec => spec.Group = "rl");
        (pod.Spec.Hostname, pod.Spec.Subdomain).ShouldBe(("sft-1", "sft"));
        pod.Metadata.Labels.ShouldContainKeyAndValue(Labels.JobGroup, "rl");
        pod.Metadata.Labels.ShouldNotContainKey(Labels.Task);
    }

    [Fact]
    public void Accelerators_are_asked_for_and_looked_for()
    {
        var pod = Sample.Pod(spec => spec.Resources = new Resources { Accelerators = "H100:8", Cpus = "4", Memory = "8Gi", Extended = new() { ["rdma/hca"] = "2" } });
        pod.Spec.NodeSelector.ShouldContainKeyAndValue("trestle.dev/accelerator", "H100");
        var resources = pod.MainContainer().Resources;
        Texts(resources.Requests).ShouldBe(["cpu=4", "memory=8Gi", "nvidia.com/gpu=8", "rdma/hca=2"], ignoreOrder: true);
        Texts(resources.Limits).ShouldBe(["memory=8Gi", "nvidia.com/gpu=8", "rdma/hca=2"], ignoreOrder: true);
    }

    [Fact]
    public void Shared_memory_is_a_memory_volume()
    {
        var volume = Sample.Pod(spec => spec.Resources = new Resources { SharedMemory = "64Gi" }).VolumeAt("/dev/shm");
        (volume.EmptyDir.Medium, volume.EmptyDir.SizeLimit.ToString()).ShouldBe(("Memory", "64Gi"));
    }

    [Theory]
    [InlineData(MountMode.Mount)]
    [InlineData(MountMode.MountCached)]
    public void A_file_storage_is_a_directory_of_the_host(MountMode mode)
    {
        var pod = Sample.Pod(spec => spec.Mounts = [new StorageMount { Path = "/checkpoints", Storage = "ckpts", Mode = mode, SubPath = "run-1", ReadOnly = true }]);
        var volume = pod.VolumeAt("/checkpoints");
        (volume.HostPath.Path, volume.HostPath.Type).ShouldBe(("/shared/ckpts/run-1", "DirectoryOrCreate"));
        pod.MainContainer().VolumeMounts.Single(mount => mount.MountPath == "/checkpoints").ReadOnlyProperty.ShouldBe(true);
    }

    [Fact]
    public void A_copy_is_taken_by_a_container_that_ends_before_the_rendezvous()
    {
        var pod = Sample.Pod(spec => spec.Mounts = [new StorageMount { Path = "/data", Storage = "ckpts", Mode = MountMode.Copy }]);
        pod.VolumeAt("/data").EmptyDir.ShouldNotBeNull();
        pod.Spec.InitContainers.Select(container => container.Name).ShouldBe(["copy", "rendezvous"]);
        var copier = pod.Spec.InitContainers[0];
        copier.Command.TakeLast(2).ShouldBe(["/trestle/copy/0", "/data"]);
        var source = pod.Spec.Volumes.Single(volume => volume.Name == copier.VolumeMounts.Single(mount => mount.MountPath == "/trestle/copy/0").Name);
        source.HostPath.Path.ShouldBe("/shared/ckpts");
    }

    [Fact]
    public void A_mount_without_its_storage_is_refused_and_never_left_out() =>
        Should.Throw<LaunchRefusedException>(() => Sample.Pod(spec => spec.Mounts = [new StorageMount { Path = "/c", Storage = "unknown" }])).Message.ShouldContain("/c");

    [Fact]
    public void The_rendezvous_container_alone_sees_the_token_of_this_rank_alone()
    {
        var pod = Sample.Pod();
        var token = pod.Spec.Volumes.Single(volume => volume.Secret is not null);
        token.Secret.SecretName.ShouldBe("sft-a4-rendezvous");
        token.Secret.Items.Single().Key.ShouldBe("1");
        pod.MainContainer().VolumeMounts.ShouldNotContain(mount => mount.Name == token.Name);
        var rendezvous = pod.Spec.InitContainers.Single();
        rendezvous.Command.ShouldBe(["trestle-node", "rendezvous", "--url", "http://operator:8090/rendezvous/uid-1/4/1", "--token-file", "/trestle/token/token", "--out", "/trestle/run/env"]);
        rendezvous.VolumeMounts.ShouldContain(mount => mount.Name == token.Name && mount.MountPath == "/trestle/token");
    }

    [Fact]
    public void A_job_that_is_watched_has_a_sidecar_that_tells_of_its_life()
    {
        var pod = Sample.Pod(spec => spec.Recovery = new Recovery { HangTimeout = "5m" });
        var heart = pod.Spec.InitContainers[^1];
        (heart.Name, heart.RestartPolicy).ShouldBe(("heartbeat", "Always"));
        heart.Command.ShouldBe(["trestle-node", "heartbeat", "--url", "http://operator:8090/heartbeat/uid-1/4/1", "--token-file", "/trestle/token/token", "--run", "/trestle/run", "--every", "30s"]);
        heart.VolumeMounts.Select(mount => mount.MountPath).ShouldBe(["/trestle/run", "/trestle/token"]);
        pod.Spec.InitContainers[^2].Name.ShouldBe("rendezvous", "main comes after both");
    }

    [Fact]
    public void An_attempt_with_fewer_ranks_has_fewer_tokens()
    {
        var job = Sample.Job();
        job.Status = new TrainingJobStatus { Admission = new AdmissionStatus { Attempt = 4, Size = 2 } };
        LaunchObjects.Token(job, 4, new RendezvousKey([1])).Data.Keys.ShouldBe(["0", "1"], ignoreOrder: true);
    }

    [Fact]
    public void The_secret_of_an_attempt_holds_the_token_of_every_rank()
    {
        var key = new RendezvousKey([1, 2, 3]);
        var secret = LaunchObjects.Token(Sample.Job(), 4, key);
        secret.Metadata.Name.ShouldBe(LaunchObjects.TokenName(Sample.Job(), 4));
        secret.Data.Keys.ShouldBe(["0", "1", "2"], ignoreOrder: true);
        key.Verify(Encoding.ASCII.GetString(secret.Data["2"]), "uid-1", 4, 2).ShouldBeTrue();
    }

    [Fact]
    public void The_scripts_of_the_user_are_as_written_and_setup_only_where_there_is_one()
    {
        LaunchObjects.Scripts(Sample.Job()).Data.Keys.ShouldBe(["launch.sh", "run.sh"], ignoreOrder: true);
        var map = LaunchObjects.Scripts(Sample.Job(spec => (spec.Setup, spec.Run) = ("pip install x", "#!/usr/bin/env python3\nprint(1)")));
        map.Metadata.Name.ShouldBe("sft-launch");
        (map.Data["setup.sh"], map.Data["run.sh"]).ShouldBe(("pip install x", "#!/usr/bin/env python3\nprint(1)"));
    }

    [Theory]
    [InlineData("job", "default", "node", "job", "node")]
    [InlineData("job", "default", null, "job", "default")]
    [InlineData(null, "default", null, "default", "default")]
    [InlineData("job", null, null, "job", "job")]
    public void Images_fall_back(string? own, string? fallback, string? node, string main, string rendezvous)
    {
        var pod = Sample.Pod(spec => spec.Image = own, new PodSettings(fallback, node, "http://o", null));
        (pod.MainContainer().Image, pod.Spec.InitContainers.Single().Image).ShouldBe((main, rendezvous));
    }

    [Fact]
    public void Secrets_reach_the_environment_by_reference()
    {
        var main = Sample.Pod(spec =>
        {
            spec.Env = [new EnvVar { Name = "LR", Value = "3e-4" }, new EnvVar { Name = "KEY", ValueFrom = new EnvVarSource { SecretKeyRef = new KeySelector { Name = "wandb", Key = "key" } } }];
            spec.EnvFrom = [new EnvFromSource { Prefix = "HF_", SecretRef = new NameReference { Name = "hf" } }];
        }).MainContainer();
        main.Env[0].Value.ShouldBe("3e-4");
        (main.Env[1].Value, main.Env[1].ValueFrom.SecretKeyRef.Name, main.Env[1].ValueFrom.SecretKeyRef.Key).ShouldBe((null, "wandb", "key"));
        (main.EnvFrom[0].Prefix, main.EnvFrom[0].SecretRef.Name).ShouldBe(("HF_", "hf"));
    }

    [Fact]
    public void Only_a_job_that_submits_jobs_has_a_service_account_token()
    {
        Sample.Pod().Spec.AutomountServiceAccountToken.ShouldBe(false);
        Sample.Pod(spec => spec.SubmitsJobs = true).Spec.AutomountServiceAccountToken.ShouldBe(true);
        Sample.Pod(spec => spec.SubmitsJobs = true, Sample.Settings with { LauncherAccount = "trestle-launcher" }).Spec.ServiceAccountName.ShouldBe("trestle-launcher");
        Sample.Pod(settings: Sample.Settings with { LauncherAccount = "trestle-launcher" }).Spec.ServiceAccountName.ShouldBeNull();
    }

    [Fact]
    public void A_lost_node_is_given_up_after_half_a_minute() =>
        Sample.Pod().Spec.Tolerations.ShouldAllBe(toleration => toleration.TolerationSeconds == 30 && toleration.Effect == "NoExecute");

    [Theory]
    [InlineData(null, 60)]
    [InlineData("1500ms", 2)]
    [InlineData("5m", 300)]
    public void The_grace_is_in_whole_seconds(string? written, long seconds) =>
        Sample.Pod(spec => spec.TerminationGracePeriod = written).Spec.TerminationGracePeriodSeconds.ShouldBe(seconds);

    private static IEnumerable<string> Texts(IDictionary<string, ResourceQuantity> amounts) => amounts.Select(amount => $"{amount.Key}={amount.Value}");
}
