using k8s.Models;
using Trestle.Local.Nodes.Agent;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Nodes.Tests;

/// <summary>The whole agent with real sandboxes, against an API in memory.</summary>
public sealed class NodeAgentTests : IAsyncLifetime
{
    private readonly string _state = Directory.CreateTempSubdirectory("trestle-agent-").FullName;
    private readonly FakeCluster _cluster = new();
    private readonly TestLog _log = new();
    private CancellationTokenSource? _stop;
    private Task _running = Task.CompletedTask;

    public async ValueTask InitializeAsync() => await StartAsync(AgentEnd.LeavePods);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await PodFleet.KillBelowAsync(_state, TimeProvider.System);
        NodeAgent.RemoveTraces(_state);
        PodDirectories.Remove(_state);
    }

    [Fact]
    public async Task A_pod_is_scheduled_runs_to_its_end_and_leaves_its_log()
    {
        _cluster.Create(Script("p", "echo hello from $HOSTNAME; hostname -i; echo oops >&2; exit 4"));
        var pod = await PhaseAsync("p", "Failed");
        pod.Spec.NodeName.ShouldStartWith("node-");
        pod.Status.ContainerStatuses[0].State.Terminated.ExitCode.ShouldBe(4);
        pod.Status.PodIP.ShouldStartWith("127.");
        var log = File.ReadAllText(Path.Combine(PodDirectory(pod), "main", "0.log"));
        log.ShouldContain(" stdout F hello from p\n");
        log.ShouldContain($" stdout F {pod.Status.PodIP}\n");
        log.ShouldContain(" stderr F oops\n");
    }

    [Fact]
    public async Task Volumes_and_environment_hold_what_the_pod_asks_for()
    {
        _cluster.ConfigMaps["cm"] = new V1ConfigMap { Data = new Dictionary<string, string> { ["run.sh"] = "echo from config" } };
        _cluster.Secrets["s"] = new V1Secret { Data = new Dictionary<string, byte[]> { ["k"] = "hush"u8.ToArray() } };
        var pod = Script("p", "sh /scripts/run.sh; echo $S; echo shared >/work/f; cat /sub/f /var/run/secrets/kubernetes.io/serviceaccount/token; echo; cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; echo; touch /scripts/x 2>/dev/null || echo read-only; echo done >/dev/termination-log");
        pod.Spec.Volumes = [new V1Volume { Name = "scripts", ConfigMap = new V1ConfigMapVolumeSource { Name = "cm" } }, new V1Volume { Name = "work", EmptyDir = new V1EmptyDirVolumeSource { Medium = "Memory" } }];
        pod.Spec.Containers[0].VolumeMounts = [new V1VolumeMount { Name = "scripts", MountPath = "/scripts" }, new V1VolumeMount { Name = "work", MountPath = "/work", SubPath = "a/b" }, new V1VolumeMount { Name = "work", MountPath = "/sub", SubPath = "a/b" }];
        pod.Spec.Containers[0].Env = [new V1EnvVar { Name = "S", ValueFrom = new V1EnvVarSource { SecretKeyRef = new V1SecretKeySelector { Name = "s", Key = "k" } } }];
        _cluster.Create(pod);
        var ended = await PhaseAsync("p", "Succeeded");
        Text(ended).ShouldBe(["from config", "hush", "shared", "token-of-p", "default", "read-only"]);
        ended.Status.ContainerStatuses[0].State.Terminated.Message.ShouldBe("done\n");
    }

    [Fact]
    public async Task A_missing_config_map_is_waited_for_and_named()
    {
        var pod = Script("p", "true");
        pod.Spec.Containers[0].EnvFrom = [new V1EnvFromSource { ConfigMapRef = new V1ConfigMapEnvSource { Name = "later" } }];
        _cluster.Create(pod);
        await UntilAsync(() => _cluster.Pod("p").Status?.ContainerStatuses?[0].State.Waiting?.Message == "configmap \"later\" not found");
        _cluster.ConfigMaps["later"] = new V1ConfigMap { Data = new Dictionary<string, string>() };
        await PhaseAsync("p", "Succeeded");
    }

    [Fact]
    public async Task A_command_that_does_not_exist_ends_as_a_start_error_with_a_sentence()
    {
        _cluster.Create(new APod("p").Main("main", "no-such-program").Build());
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
        foreach (var pod in pods) _cluster.Create(pod);
        foreach (var pod in pods) await UntilAsync(() => Condition(pod.Metadata.Name, "Ready") == "True");
        _cluster.Pod("t-0").Status.PodIP.ShouldNotBe(_cluster.Pod("t-1").Status.PodIP);
    }

    [Fact]
    public async Task A_deleted_pod_gets_its_grace_and_is_then_removed_with_all_it_left()
    {
        _cluster.Create(Script("p", "trap 'echo bye >/out/f; exit 0' TERM; echo up; while :; do sleep 0.05; done", ("out", _state)));
        await LogAsync("p", "up");
        var directory = PodDirectory(_cluster.Pod("p"));
        _cluster.Delete("p", TimeSpan.FromSeconds(20));
        await UntilAsync(() => _cluster.Pods.Count == 0);
        File.ReadAllText(Path.Combine(_state, "f")).ShouldBe("bye\n");
        await UntilAsync(() => !Directory.Exists(directory));
        SandboxProcess.FindBelow(_state).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_pod_that_ignores_TERM_is_killed_at_the_deadline()
    {
        _cluster.Create(Script("p", "trap '' TERM; echo up; while :; do sleep 0.05; done"));
        await LogAsync("p", "up");
        _cluster.Delete("p", TimeSpan.FromSeconds(1));
        await UntilAsync(() => _cluster.Pods.Count == 0);
        SandboxProcess.FindBelow(_state).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_later_agent_takes_over_what_runs_and_loses_no_line()
    {
        _cluster.Create(Script("p", "i=0; while [ ! -e /out/go ]; do i=$((i+1)); echo line $i; sleep 0.01; done; echo last $i; exit 9", ("out", _state)));
        await LogAsync("p", "line 3");
        await StopAsync();
        SandboxProcess.FindBelow(_state).ShouldNotBeEmpty();
        await StartAsync(AgentEnd.LeavePods);
        File.WriteAllText(Path.Combine(_state, "go"), "");
        var ended = await PhaseAsync("p", "Failed");
        ended.Status.ContainerStatuses[0].State.Terminated.ExitCode.ShouldBe(9);
        var lines = Text(ended);
        var last = int.Parse(lines[^1].Split(' ')[1]);
        lines[..^1].ShouldBe([.. Enumerable.Range(1, last).Select(i => $"line {i}")]);
    }

    [Fact]
    public async Task A_pod_whose_processes_vanished_while_no_agent_ran_counts_as_disrupted()
    {
        _cluster.Create(Script("p", "echo up; sleep 1000"));
        await LogAsync("p", "up");
        await StopAsync();
        await PodFleet.KillBelowAsync(_state, TimeProvider.System);
        var status = Path.Combine(PodDirectory(_cluster.Pod("p")), ".run", "main", "0", "status");
        File.WriteAllText(status, File.ReadAllText(status).Split('\n')[0]); // the machine went down: no exit was recorded
        await StartAsync(AgentEnd.LeavePods);
        await PhaseAsync("p", "Failed");
        Condition("p", "DisruptionTarget").ShouldBe("True");
    }

    [Fact]
    public async Task Stopping_for_good_ends_the_pods_as_disrupted_and_leaves_no_process()
    {
        await StopAsync();
        await StartAsync(AgentEnd.StopPods);
        _cluster.Create(Script("p", "echo up; sleep 1000"));
        await LogAsync("p", "up");
        await StopAsync();
        SandboxProcess.FindBelow(_state).ShouldBeEmpty();
        _cluster.Pod("p").Status.Phase.ShouldBe("Failed");
        Condition("p", "DisruptionTarget").ShouldBe("True");
    }

    [Fact]
    public async Task A_failed_node_loses_its_processes_and_is_well_again_when_restored()
    {
        var pod = Script("p", "echo up; sleep 1000");
        pod.Spec.NodeSelector = new Dictionary<string, string> { ["kubernetes.io/hostname"] = "node-1" };
        _cluster.Create(pod);
        await LogAsync("p", "up");
        _cluster.Annotate("node-1", "fail");
        await PhaseAsync("p", "Failed");
        Condition("p", "DisruptionTarget").ShouldBe("True");
        SandboxProcess.FindBelow(_state).ShouldBeEmpty();
        NodeObjects.IsReady(_cluster.Node("node-1")).ShouldBeFalse();
        _cluster.Node("node-1").Spec.Taints.ShouldContain(t => t.Key == NodeObjects.UnreachableTaint && t.Effect == "NoExecute");

        _cluster.Delete("p", TimeSpan.FromSeconds(30));
        await UntilAsync(() => _cluster.Pods.Count == 0);
        _cluster.Annotate("node-1", "");
        await UntilAsync(() => NodeObjects.IsReady(_cluster.Node("node-1")) && _cluster.Node("node-1").Spec.Taints is not { Count: > 0 });
        var again = Script("q", "echo again");
        again.Spec.NodeSelector = pod.Spec.NodeSelector;
        _cluster.Create(again);
        await PhaseAsync("q", "Succeeded");
    }

    [Fact]
    public async Task A_drained_node_is_cordoned_and_its_pods_evicted()
    {
        _cluster.Create(Script("p", "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done"));
        await LogAsync("p", "up");
        var node = _cluster.Pod("p").Spec.NodeName;
        _cluster.Annotate(node, "drain");
        await UntilAsync(() => _cluster.Pods.Count == 0 && _cluster.Node(node).Spec.Unschedulable == true);
        _cluster.Annotate(node, "");
        await UntilAsync(() => _cluster.Node(node).Spec.Unschedulable != true);
    }

    [Fact]
    public async Task A_failing_liveness_probe_restarts_the_container()
    {
        var pod = Script("p", "echo up; sleep 1000");
        pod.Spec.RestartPolicy = "Always";
        pod.Spec.TerminationGracePeriodSeconds = 1;
        pod.Spec.Containers[0].LivenessProbe = new V1Probe { Exec = new V1ExecAction { Command = ["false"] }, PeriodSeconds = 1, FailureThreshold = 1 };
        _cluster.Create(pod);
        await UntilAsync(() => _cluster.Pod("p").Status?.ContainerStatuses?[0].LastState.Terminated is not null);
        _cluster.Events.ShouldContain(e => e.StartsWith("Unhealthy"));
    }

    private async Task StartAsync(AgentEnd end)
    {
        Directory.CreateDirectory(Path.Combine(_state, "bin"));
        var options = new NodesOptions { StateDirectory = _state, Nodes = 2, GpuType = "H100", GpuCount = 8, DetectionTime = TimeSpan.FromMilliseconds(50) };
        var machine = new MachineContext(_state, options.Path, [], "127.0.0.1", 6443);
        var agent = new NodeAgent(options, machine, "PEM", _cluster, _cluster, _cluster, TimeProvider.System, _log);
        await agent.RegisterAsync(CancellationToken.None);
        _stop = new CancellationTokenSource();
        _running = agent.RunAsync(end, _stop.Token);
    }

    private async Task StopAsync()
    {
        await _stop!.CancelAsync();
        await _running;
    }

    private static V1Pod Script(string name, string script, (string Mount, string Path)? shared = null)
    {
        var pod = new APod(name).Main("main", "sh", "-c", script).Build();
        if (shared is not { } s) return pod;
        pod.Spec.Volumes = [new V1Volume { Name = s.Mount, HostPath = new V1HostPathVolumeSource { Path = s.Path } }];
        pod.Spec.Containers[0].VolumeMounts = [new V1VolumeMount { Name = s.Mount, MountPath = "/" + s.Mount }];
        return pod;
    }

    private string PodDirectory(V1Pod pod) => Path.Combine(_state, "nodes", pod.Spec.NodeName, "pods", pod.Metadata.Uid);

    private string LogFile(V1Pod pod) => Path.Combine(PodDirectory(pod), "main", "0.log");

    private string[] Text(V1Pod pod) => [.. File.ReadAllLines(LogFile(pod)).Select(l => l.Split(' ', 4)[3])];

    private string? Condition(string pod, string type) => _cluster.Pod(pod).Status?.Conditions?.FirstOrDefault(c => c.Type == type)?.Status;

    private Task LogAsync(string pod, string text) => UntilAsync(() => _cluster.Pod(pod).Spec.NodeName is not null && File.Exists(LogFile(_cluster.Pod(pod))) && File.ReadAllText(LogFile(_cluster.Pod(pod))).Contains(text));

    private async Task<V1Pod> PhaseAsync(string pod, string phase)
    {
        await UntilAsync(() => _cluster.Pod(pod).Status?.Phase == phase, () => k8s.KubernetesJson.Serialize(_cluster.Pod(pod).Status));
        return _cluster.Pod(pod);
    }

    private async Task UntilAsync(Func<bool> condition, Func<string>? state = null)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            if (limit.IsCancellationRequested || _running.IsFaulted) throw new TimeoutException($"not in time; agent {_running.Status} {_running.Exception}; {state?.Invoke()}; events: {string.Join("; ", _cluster.Events)}\n{_log.Text}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
