using k8s.Models;
using Trestle.Local.Nodes.Agent;
using Trestle.Local.Nodes.Containers;
using Trestle.Local.Nodes.Logs;
using Trestle.Local.Nodes.Pods;
using Trestle.Local.Nodes.Sandbox;
using Trestle.Local.Nodes.Volumes;

namespace Trestle.Integration.Tests.Nodes;

/// <summary>A pod whose start has begun but has no process yet when something ends it: it must not start after all.</summary>
public sealed class StartInFlightTests : AgentTests
{
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task An_agent_that_lets_go_leaves_the_start_to_the_next_one()
    {
        await BeginAsync();
        var stopping = StopAsync();
        await UntilAsync(() => Cluster.InFlight!.Value.IsCancellationRequested);
        _go.SetResult();
        await stopping;
        Starts().ShouldBe(0, Log.Text);
        await StartAsync(AgentEnd.LeavePods);
        await LogAsync("p", "up");
        Starts().ShouldBe(1, Log.Text);
    }

    [Fact]
    public async Task A_pod_that_is_told_to_stop_ends_as_disrupted_without_having_started()
    {
        var pod = Script("p", "echo up; sleep 1000");
        pod.Spec.NodeName = "node-of-another-agent";
        Cluster.Objects = _go.Task;
        Cluster.Create(pod);
        var machine = new MachineContext(State, "/usr/bin:/bin", [], "127.0.0.1", 6443);
        var volumes = new VolumeContext(State, null, "PEM", Cluster.CreateTokenAsync);
        var worker = new PodWorker(new PodWorkerContext(machine, Cluster, volumes, new LogRelay(TimeProvider.System), new HostFiles(), MemoryGroups.Open("/none", "none"), TimeProvider.System, Log), pod, "127.16.0.1");
        using var end = new CancellationTokenSource();
        var running = worker.RunAsync(end.Token);
        await UntilAsync(() => Cluster.InFlight is not null);
        worker.Stop(new StopCause("Terminated", "the node stops", TimeProvider.System.GetUtcNow().AddSeconds(5), "TerminationByKubelet"));
        _go.SetResult();
        await PhaseAsync("p", "Failed");
        Condition("p", "DisruptionTarget").ShouldBe("True");
        Starts().ShouldBe(0, Log.Text);
        await end.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_node_that_fails_and_is_restored_at_once_does_not_start_the_pod_it_lost()
    {
        await BeginAsync();
        Cluster.Annotate("node-1", "fail");
        await UntilAsync(() => Log.Text.Contains("failed on demand", StringComparison.Ordinal));
        Cluster.Annotate("node-1", "");
        await PhaseAsync("p", "Failed");
        _go.SetResult();
        await UntilAsync(() => Log.Text.Contains("restored", StringComparison.Ordinal) && NodeObjects.IsReady(Cluster.Node("node-1")));
        Starts().ShouldBe(0, Log.Text);

        var next = OnNode1("next");
        Cluster.Create(next);
        await LogAsync("next", "up");
    }

    [Fact]
    public async Task A_pod_removed_by_force_is_not_started()
    {
        await BeginAsync();
        await Cluster.RemoveAsync(Cluster.Pod("p"), TestContext.Current.CancellationToken);
        _go.SetResult();
        await UntilAsync(() => !Directory.Exists(Path.Combine(State, "nodes", "node-1", "pods", "p-uid")));
        Starts().ShouldBe(0, Log.Text);
        SandboxProcess.FindBelow(State).ShouldBeEmpty();
    }

    private async Task BeginAsync()
    {
        Cluster.Objects = _go.Task;
        Cluster.Create(OnNode1("p"));
        await UntilAsync(() => Cluster.InFlight is not null);
    }

    private static V1Pod OnNode1(string name)
    {
        var pod = Script(name, "echo up; sleep 1000");
        pod.Spec.NodeSelector = new Dictionary<string, string> { ["kubernetes.io/hostname"] = "node-1" };
        return pod;
    }

    private int Starts() => Log.Text.Split('\n').Count(l => l.Contains("default/p: container main started", StringComparison.Ordinal));
}
