using k8s.Models;
using Trestle.Local.Nodes.Agent;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Integration.Tests.Nodes;

/// <summary>The whole agent with real sandboxes, against an API in memory.</summary>
public sealed class NodeAgentTests : AgentTests
{
    [Fact]
    public async Task A_pod_is_scheduled_runs_to_its_end_and_leaves_its_log()
    {
        Cluster.Create(Script("p", "echo hello from $HOSTNAME; hostname -i; echo oops >&2; exit 4"));
        var pod = await PhaseAsync("p", "Failed");
        pod.Spec.NodeName.ShouldStartWith("node-");
        pod.Status.ContainerStatuses[0].State.Terminated.ExitCode.ShouldBe(4);
        pod.Status.PodIP.ShouldStartWith("127.");
        var log = await File.ReadAllTextAsync(LogFile(pod), TestContext.Current.CancellationToken);
        log.ShouldContain(" stdout F hello from p\n");
        log.ShouldContain($" stdout F {pod.Status.PodIP}\n");
        log.ShouldContain(" stderr F oops\n");
    }

    [Fact]
    public async Task Volumes_and_environment_hold_what_the_pod_asks_for()
    {
        Cluster.ConfigMaps["cm"] = new V1ConfigMap { Data = new Dictionary<string, string> { ["run.sh"] = "echo from config" } };
        Cluster.Secrets["s"] = new V1Secret { Data = new Dictionary<string, byte[]> { ["k"] = "hush"u8.ToArray() } };
        var pod = Script("p", "sh /scripts/run.sh; echo $S; echo shared >/work/f; cat /sub/f /var/run/secrets/kubernetes.io/serviceaccount/token; echo; cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; echo; touch /scripts/x 2>/dev/null || echo read-only; echo done >/dev/termination-log");
        pod.Spec.Volumes = [new V1Volume { Name = "scripts", ConfigMap = new V1ConfigMapVolumeSource { Name = "cm" } }, new V1Volume { Name = "work", EmptyDir = new V1EmptyDirVolumeSource { Medium = "Memory" } }];
        pod.Spec.Containers[0].VolumeMounts = [new V1VolumeMount { Name = "scripts", MountPath = "/scripts" }, new V1VolumeMount { Name = "work", MountPath = "/work", SubPath = "a/b" }, new V1VolumeMount { Name = "work", MountPath = "/sub", SubPath = "a/b" }];
        pod.Spec.Containers[0].Env = [new V1EnvVar { Name = "S", ValueFrom = new V1EnvVarSource { SecretKeyRef = new V1SecretKeySelector { Name = "s", Key = "k" } } }];
        Cluster.Create(pod);
        var ended = await PhaseAsync("p", "Succeeded");
        Text(ended).ShouldBe(["from config", "hush", "shared", "token-of-p", "default", "read-only"]);
        ended.Status.ContainerStatuses[0].State.Terminated.Message.ShouldBe("done\n");
    }

    [Fact]
    public async Task A_missing_config_map_is_waited_for_and_named()
    {
        var pod = Script("p", "true");
        pod.Spec.Containers[0].EnvFrom = [new V1EnvFromSource { ConfigMapRef = new V1ConfigMapEnvSource { Name = "later" } }];
        Cluster.Create(pod);
        await UntilAsync(() => Cluster.Pod("p").Status?.ContainerStatuses?[0].State.Waiting?.Message == "configmap \"later\" not found");
        Cluster.ConfigMaps["later"] = new V1ConfigMap { Data = new Dictionary<string, string>() };
        await PhaseAsync("p", "Succeeded");
    }

    [Fact]
    public async Task A_command_that_does_not_exist_ends_as_a_start_error_with_a_sentence()
    {
        Cluster.Create(Pod("p", "no-such-program"));
        var ended = (await PhaseAsync("p", "Failed")).Status.ContainerStatuses[0].State.Terminated;
        (ended.Reason, ended.ExitCode).ShouldBe(("StartError", 128));
        ended.Message.ShouldContain("no-such-program: No such file or directory");
    }

    [Fact]
    public async Task Pods_resolve_each_other_and_listen_on_the_same_port()
    {
        var pods = new[] { 0, 1 }.Select(i =>
        {
            var pod = Script($"t-{i}", "until getent hosts t-0.t && getent hosts t-1.t; do sleep 0.02; done >/dev/null; python3 -m http.server --bind $(hostname -i | cut -d' ' -f1) 8080");
            pod.Spec.Subdomain = "t";
            pod.Spec.Containers[0].ReadinessProbe = new V1Probe { HttpGet = new V1HTTPGetAction { Port = 8080, Path = "/" }, PeriodSeconds = 1 };
            return pod;
        }).ToList();
        foreach (var pod in pods) Cluster.Create(pod);
        foreach (var pod in pods) await UntilAsync(() => Condition(pod.Metadata.Name, "Ready") == "True");
        Cluster.Pod("t-0").Status.PodIP.ShouldNotBe(Cluster.Pod("t-1").Status.PodIP);
    }

    [Fact]
    public async Task A_deleted_pod_gets_its_grace_and_is_then_removed_with_all_it_left()
    {
        Cluster.Create(Script("p", "trap 'echo bye >/out/f; exit 0' TERM; echo up; while :; do sleep 0.05; done", ("out", State)));
        await LogAsync("p", "up");
        var directory = PodDirectory(Cluster.Pod("p"));
        Cluster.Delete("p", TimeSpan.FromSeconds(20));
        await UntilAsync(() => Cluster.Pods.Count == 0);
        (await File.ReadAllTextAsync(Path.Combine(State, "f"), TestContext.Current.CancellationToken)).ShouldBe("bye\n");
        await UntilAsync(() => !Directory.Exists(directory));
        SandboxProcess.FindBelow(State).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_pod_that_ignores_TERM_is_killed_at_the_deadline()
    {
        Cluster.Create(Script("p", "trap '' TERM; echo up; while :; do sleep 0.05; done"));
        await LogAsync("p", "up");
        Cluster.Delete("p", TimeSpan.FromSeconds(1));
        await UntilAsync(() => Cluster.Pods.Count == 0);
        SandboxProcess.FindBelow(State).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_later_agent_takes_over_what_runs_and_loses_no_line()
    {
        Cluster.Create(Script("p", "i=0; while [ ! -e /out/go ]; do i=$((i+1)); echo line $i; sleep 0.01; done; echo last $i; exit 9", ("out", State)));
        await LogAsync("p", "line 3");
        await StopAsync();
        SandboxProcess.FindBelow(State).ShouldNotBeEmpty();
        await StartAsync(AgentEnd.LeavePods);
        await File.WriteAllTextAsync(Path.Combine(State, "go"), "", TestContext.Current.CancellationToken);
        var ended = await PhaseAsync("p", "Failed");
        ended.Status.ContainerStatuses[0].State.Terminated.ExitCode.ShouldBe(9);
        var lines = Text(ended);
        var last = int.Parse(lines[^1].Split(' ')[1]);
        lines[..^1].ShouldBe([.. Enumerable.Range(1, last).Select(i => $"line {i}")]);
    }

    [Fact]
    public async Task A_pod_whose_processes_vanished_while_no_agent_ran_counts_as_disrupted()
    {
        Cluster.Create(Script("p", "echo up; sleep 1000"));
        await LogAsync("p", "up");
        await StopAsync();
        await PodFleet.KillBelowAsync(State, TimeProvider.System);
        var status = Path.Combine(PodDirectory(Cluster.Pod("p")), ".run", "main", "0", "status");
        await File.WriteAllTextAsync(status, (await File.ReadAllTextAsync(status, TestContext.Current.CancellationToken)).Split('\n')[0], TestContext.Current.CancellationToken); // the machine went down: no exit was recorded
        await StartAsync(AgentEnd.LeavePods);
        await PhaseAsync("p", "Failed");
        Condition("p", "DisruptionTarget").ShouldBe("True");
    }

    [Fact]
    public async Task Stopping_for_good_ends_the_pods_as_disrupted_and_leaves_no_process()
    {
        await StopAsync();
        await StartAsync(AgentEnd.StopPods);
        Cluster.Create(Script("p", "echo up; sleep 1000"));
        await LogAsync("p", "up");
        await StopAsync();
        SandboxProcess.FindBelow(State).ShouldBeEmpty();
        Cluster.Pod("p").Status.Phase.ShouldBe("Failed");
        Condition("p", "DisruptionTarget").ShouldBe("True");
        // The agent of before, whose watch goes on while it lets go, must not have started it as well.
        Log.Text.Split('\n').Count(l => l.Contains("container main started", StringComparison.Ordinal)).ShouldBe(1, Log.Text);
    }

    [Fact]
    public async Task A_failed_node_loses_its_processes_and_is_well_again_when_restored()
    {
        var pod = Script("p", "echo up; sleep 1000");
        pod.Spec.NodeSelector = new Dictionary<string, string> { ["kubernetes.io/hostname"] = "node-1" };
        Cluster.Create(pod);
        await LogAsync("p", "up");
        Cluster.Annotate("node-1", "fail");
        await PhaseAsync("p", "Failed");
        Condition("p", "DisruptionTarget").ShouldBe("True");
        SandboxProcess.FindBelow(State).ShouldBeEmpty();
        NodeObjects.IsReady(Cluster.Node("node-1")).ShouldBeFalse();
        Cluster.Node("node-1").Spec.Taints.ShouldContain(t => t.Key == NodeObjects.UnreachableTaint && t.Effect == "NoExecute");

        Cluster.Delete("p", TimeSpan.FromSeconds(30));
        await UntilAsync(() => Cluster.Pods.Count == 0);
        Cluster.Annotate("node-1", "");
        await UntilAsync(() => NodeObjects.IsReady(Cluster.Node("node-1")) && Cluster.Node("node-1").Spec.Taints is not { Count: > 0 });
        var again = Script("q", "echo again");
        again.Spec.NodeSelector = pod.Spec.NodeSelector;
        Cluster.Create(again);
        await PhaseAsync("q", "Succeeded");
    }

    [Fact]
    public async Task A_failed_node_is_seen_to_be_gone_before_its_pods_are_given_up_and_keeps_their_logs()
    {
        await StopAsync();
        Toleration = TimeSpan.FromSeconds(2);
        await StartAsync(AgentEnd.LeavePods);
        Cluster.Create(Script("p", "echo up; sleep 1000"));
        await LogAsync("p", "up");
        var node = Cluster.Pod("p").Spec.NodeName;
        Cluster.Annotate(node, "fail");
        await UntilAsync(() => !NodeObjects.IsReady(Cluster.Node(node)));
        Cluster.Pod("p").Status.Phase.ShouldBe("Running");
        SandboxProcess.FindBelow(State).ShouldBeEmpty();
        await PhaseAsync("p", "Failed");
        Cluster.Annotate(node, "");
        await UntilAsync(() => NodeObjects.IsReady(Cluster.Node(node)));
        Text(Cluster.Pod("p")).ShouldBe(["up"]);
    }

    [Fact]
    public async Task A_drained_node_is_cordoned_and_its_pods_evicted()
    {
        Cluster.Create(Script("p", "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done"));
        await LogAsync("p", "up");
        var node = Cluster.Pod("p").Spec.NodeName;
        Cluster.Annotate(node, "drain");
        await UntilAsync(() => Cluster.Pods.Count == 0 && Cluster.Node(node).Spec.Unschedulable == true);
        Cluster.Annotate(node, "");
        await UntilAsync(() => Cluster.Node(node).Spec.Unschedulable != true);
    }

    [Fact]
    public async Task A_failing_liveness_probe_restarts_the_container()
    {
        var pod = Script("p", "echo up; sleep 1000");
        pod.Spec.RestartPolicy = "Always";
        pod.Spec.TerminationGracePeriodSeconds = 1;
        pod.Spec.Containers[0].LivenessProbe = new V1Probe { Exec = new V1ExecAction { Command = ["false"] }, PeriodSeconds = 1, FailureThreshold = 1 };
        Cluster.Create(pod);
        await UntilAsync(() => Cluster.Pod("p").Status?.ContainerStatuses?[0].LastState.Terminated is not null);
        Cluster.Events.ShouldContain(e => e.StartsWith("Unhealthy"));
    }
}
