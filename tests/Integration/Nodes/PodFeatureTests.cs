using k8s.Models;

namespace Trestle.Integration.Tests.Nodes;

/// <summary>What a pod spec can ask for, seen from inside a real sandbox.</summary>
public sealed class PodFeatureTests : AgentTests
{
    [Fact]
    public async Task Init_containers_run_one_after_the_other_and_before_the_main_one()
    {
        var pod = Script("p", "cat /work/order");
        pod.Spec.InitContainers = [Step("one", "sleep 0.2; echo one >>/work/order"), Step("two", "echo two >>/work/order")];
        Share(pod, "work", new V1EmptyDirVolumeSource());
        Cluster.Create(pod);
        var ended = await PhaseAsync("p", "Succeeded");
        Text(ended).ShouldBe(["one", "two"]);
        ended.Status.InitContainerStatuses.ShouldAllBe(s => s.State.Terminated.ExitCode == 0);
    }

    [Fact]
    public async Task A_failed_init_container_ends_the_pod_before_its_main_one_starts()
    {
        var pod = Script("p", "echo never");
        pod.Spec.InitContainers = [Step("one", "exit 3"), Step("two", "true")];
        Cluster.Create(pod);
        var ended = await PhaseAsync("p", "Failed");
        ended.Status.InitContainerStatuses[0].State.Terminated.ExitCode.ShouldBe(3);
        ended.Status.InitContainerStatuses[1].State.Waiting.ShouldNotBeNull();
        ended.Status.ContainerStatuses[0].State.Waiting.Reason.ShouldBe("PodInitializing");
        File.Exists(LogFile(ended)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_sidecar_runs_beside_the_main_container_and_is_ended_after_it()
    {
        var sidecar = Step("beside", "trap 'echo ended >/work/side; exit 0' TERM; echo up >/work/up; while :; do sleep 0.02; done");
        sidecar.RestartPolicy = "Always";
        var pod = Script("p", "until [ -e /work/up ]; do sleep 0.01; done; [ ! -e /work/side ] && echo beside me");
        pod.Spec.InitContainers = [sidecar];
        Share(pod, "work", new V1EmptyDirVolumeSource());
        Cluster.Create(pod);
        var ended = await PhaseAsync("p", "Succeeded");
        Text(ended).ShouldBe(["beside me"]);
        ended.Status.InitContainerStatuses[0].State.Terminated.ExitCode.ShouldBe(0);
        (await File.ReadAllTextAsync(Path.Combine(PodDirectory(ended), ".volumes", "work", "side"), TestContext.Current.CancellationToken)).ShouldBe("ended\n");
    }

    [Fact]
    public async Task The_end_of_the_log_becomes_the_termination_message_when_asked_for()
    {
        var pod = Script("p", "seq 1 200; echo the reason >&2; exit 1");
        pod.Spec.Containers[0].TerminationMessagePolicy = "FallbackToLogsOnError";
        Cluster.Create(pod);
        var message = (await PhaseAsync("p", "Failed")).Status.ContainerStatuses[0].State.Terminated.Message;
        message.TrimEnd().ShouldEndWith("the reason");
        message.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBeInRange(2, 80);

        var well = Script("q", "echo fine");
        well.Spec.Containers[0].TerminationMessagePolicy = "FallbackToLogsOnError";
        Cluster.Create(well);
        (await PhaseAsync("q", "Succeeded")).Status.ContainerStatuses[0].State.Terminated.Message.ShouldBeNull();
    }

    [Fact]
    public async Task Modes_of_config_maps_and_secrets_are_as_written()
    {
        Cluster.ConfigMaps["cm"] = new V1ConfigMap { Data = new Dictionary<string, string> { ["run.sh"] = "#!/bin/sh\necho ran\n", ["plain"] = "x" } };
        Cluster.Secrets["s"] = new V1Secret { Data = new Dictionary<string, byte[]> { ["key"] = "hush"u8.ToArray() } };
        var pod = Script("p", "/c/run.sh; stat -Lc %a /c/run.sh /c/plain /s/key; cat /s/key");
        pod.Spec.Volumes =
        [
            new V1Volume { Name = "c", ConfigMap = new V1ConfigMapVolumeSource { Name = "cm", Items = [new V1KeyToPath { Key = "run.sh", Path = "run.sh", Mode = 0x1ED }, new V1KeyToPath { Key = "plain", Path = "plain" }] } },
            new V1Volume { Name = "s", Secret = new V1SecretVolumeSource { SecretName = "s", DefaultMode = 0x100 } },
        ];
        pod.Spec.Containers[0].VolumeMounts = [new V1VolumeMount { Name = "c", MountPath = "/c" }, new V1VolumeMount { Name = "s", MountPath = "/s" }];
        Cluster.Create(pod);
        Text(await PhaseAsync("p", "Succeeded")).ShouldBe(["ran", "755", "644", "400", "hush"]);
    }

    [Fact]
    public async Task A_volume_follows_its_config_map_while_the_pod_runs()
    {
        Cluster.ConfigMaps["cm"] = new V1ConfigMap { Data = new Dictionary<string, string> { ["k"] = "old" } };
        var pod = Script("p", "until grep -q new /c/k && test -f /n/k; do sleep 0.1; done; cat /c/k /n/k");
        pod.Spec.Volumes =
        [
            new V1Volume { Name = "c", ConfigMap = new V1ConfigMapVolumeSource { Name = "cm" } },
            new V1Volume { Name = "n", ConfigMap = new V1ConfigMapVolumeSource { Name = "not-yet", Optional = true } },
        ];
        pod.Spec.Containers[0].VolumeMounts = [new V1VolumeMount { Name = "c", MountPath = "/c" }, new V1VolumeMount { Name = "n", MountPath = "/n" }];
        Cluster.Create(pod);
        await PhaseAsync("p", "Running");
        Cluster.ConfigMaps["cm"] = new V1ConfigMap { Data = new Dictionary<string, string> { ["k"] = "new\n" } };
        Cluster.ConfigMaps["not-yet"] = new V1ConfigMap { Data = new Dictionary<string, string> { ["k"] = "there now" } };
        Text(await PhaseAsync("p", "Succeeded")).ShouldBe(["new", "there now"]);
    }

    [Fact]
    public async Task Environment_comes_from_maps_secrets_and_the_pods_own_fields()
    {
        Cluster.ConfigMaps["cm"] = new V1ConfigMap { Data = new Dictionary<string, string> { ["A"] = "from map", ["not a name"] = "left out" } };
        Cluster.Secrets["s"] = new V1Secret { Data = new Dictionary<string, byte[]> { ["B"] = "from secret"u8.ToArray() } };
        var pod = Script("p", "echo \"$A\"; echo \"$X_B\"; echo $NAME; echo $BOTH; [ $IP = $(hostname -i | cut -d' ' -f1) ] && echo own address; echo $KUBERNETES_SERVICE_HOST");
        pod.Spec.Containers[0].EnvFrom =
        [
            new V1EnvFromSource { ConfigMapRef = new V1ConfigMapEnvSource { Name = "cm" } },
            new V1EnvFromSource { Prefix = "X_", SecretRef = new V1SecretEnvSource { Name = "s" } },
            new V1EnvFromSource { ConfigMapRef = new V1ConfigMapEnvSource { Name = "none", Optional = true } },
        ];
        pod.Spec.Containers[0].Env = [Field("NAME", "metadata.name"), Field("IP", "status.podIP"), new V1EnvVar { Name = "BOTH", Value = "$(NAME)-$(A)" }];
        Cluster.Create(pod);
        Text(await PhaseAsync("p", "Succeeded")).ShouldBe(["from map", "from secret", "p", "p-from map", "own address", "127.0.0.1"]);
    }

    [Fact]
    public async Task A_projected_volume_holds_tokens_maps_and_fields_side_by_side()
    {
        Cluster.ConfigMaps["cm"] = new V1ConfigMap { Data = new Dictionary<string, string> { ["k"] = "from map" } };
        var pod = Script("p", "cat /all/token; echo; cat /all/k; echo; cat /all/labels; echo; ls /var/run/secrets/kubernetes.io 2>/dev/null || echo no account");
        pod.Metadata.Labels = new Dictionary<string, string> { ["team"] = "a" };
        pod.Spec.AutomountServiceAccountToken = false;
        pod.Spec.Volumes =
        [
            new V1Volume
            {
                Name = "all",
                Projected = new V1ProjectedVolumeSource
                {
                    Sources =
                    [
                        new V1VolumeProjection { ServiceAccountToken = new V1ServiceAccountTokenProjection { Path = "token", Audience = "trestle" } },
                        new V1VolumeProjection { ConfigMap = new V1ConfigMapProjection { Name = "cm" } },
                        new V1VolumeProjection { DownwardAPI = new V1DownwardAPIProjection { Items = [new V1DownwardAPIVolumeFile { Path = "labels", FieldRef = new V1ObjectFieldSelector { FieldPath = "metadata.labels" } }] } },
                    ],
                },
            },
        ];
        pod.Spec.Containers[0].VolumeMounts = [new V1VolumeMount { Name = "all", MountPath = "/all" }];
        Cluster.Create(pod);
        Text(await PhaseAsync("p", "Succeeded")).ShouldBe(["token-of-p", "from map", "team=\"a\"", "no account"]);
    }

    [Fact]
    public async Task Memory_volumes_live_in_memory_and_go_with_the_pod()
    {
        var pod = Script("p", "echo in memory >/work/f; cat /work/f; echo up; sleep 1000");
        Share(pod, "work", new V1EmptyDirVolumeSource { Medium = "Memory" });
        Cluster.Create(pod);
        await LogAsync("p", "up");
        var file = Path.Combine(Trestle.Local.Nodes.Agent.NodeAgent.MemoryRoot(State)!, "p-uid", "work", "f");
        (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).ShouldBe("in memory\n");
        Cluster.Delete("p", TimeSpan.Zero);
        await UntilAsync(() => Cluster.Pods.Count == 0 && !File.Exists(file));
    }

    [Fact]
    public async Task A_task_finds_the_others_by_host_name_and_subdomain()
    {
        foreach (var i in new[] { 0, 1 })
        {
            var pod = Script($"j-{i}-a1", $"until getent hosts j-{1 - i}.j && getent hosts j-{1 - i}.j.default.svc; do sleep 0.02; done >/dev/null; hostname; echo done; sleep 1000");
            (pod.Spec.Hostname, pod.Spec.Subdomain) = ($"j-{i}", "j");
            Cluster.Create(pod);
        }

        foreach (var i in new[] { 0, 1 })
        {
            await LogAsync($"j-{i}-a1", "done");
            Text(Cluster.Pod($"j-{i}-a1"))[0].ShouldBe($"j-{i}");
        }
    }

    [Fact]
    public async Task A_start_with_fewer_nodes_takes_the_others_and_their_pods_off()
    {
        var pod = Script("p", "echo up; sleep 1000");
        pod.Spec.NodeSelector = new Dictionary<string, string> { ["kubernetes.io/hostname"] = "node-1" };
        Cluster.Create(pod);
        await LogAsync("p", "up");
        await StopAsync();
        await StartAsync(Trestle.Local.Nodes.Agent.AgentEnd.LeavePods, nodes: 1);
        await UntilAsync(() => Cluster.Nodes.Count == 1);
        (await PhaseAsync("p", "Failed")).Status.Conditions.ShouldContain(c => c.Type == "DisruptionTarget" && c.Status == "True");
        await UntilAsync(() => Trestle.Local.Nodes.Sandbox.SandboxProcess.FindBelow(State).Count == 0);
    }

    private static V1Container Step(string name, string script) => new() { Name = name, Image = "x", Command = ["sh", "-c", script] };

    private static V1EnvVar Field(string name, string path) => new() { Name = name, ValueFrom = new V1EnvVarSource { FieldRef = new V1ObjectFieldSelector { FieldPath = path } } };

    private static void Share(V1Pod pod, string name, V1EmptyDirVolumeSource source)
    {
        (pod.Spec.Volumes ??= []).Add(new V1Volume { Name = name, EmptyDir = source });
        foreach (var container in pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? [])) (container.VolumeMounts ??= []).Add(new V1VolumeMount { Name = name, MountPath = "/" + name });
    }
}
