using k8s.Models;
using Trestle.Local.Nodes.Agent;

namespace Trestle.Integration.Tests.Nodes;

/// <summary>Two virtual nodes under a real agent with real sandboxes, against an API in memory.</summary>
public abstract class AgentTests : IAsyncLifetime
{
    private CancellationTokenSource? _stop;
    private Task _running = Task.CompletedTask;

    protected string State { get; } = Directory.CreateTempSubdirectory("trestle-agent-").FullName;

    private protected FakeCluster Cluster { get; } = new();

    private protected TestLog Log { get; } = new();

    protected TimeSpan Toleration { get; set; } = TimeSpan.FromMilliseconds(50);

    public async ValueTask InitializeAsync() => await StartAsync(AgentEnd.LeavePods);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await PodFleet.KillBelowAsync(State, TimeProvider.System);
        NodeAgent.RemoveTraces(State);
        PodDirectories.Remove(State);
        GC.SuppressFinalize(this);
    }

    protected async Task StartAsync(AgentEnd end, int nodes = 2)
    {
        Directory.CreateDirectory(Path.Combine(State, "bin"));
        var options = new NodesOptions { StateDirectory = State, Nodes = nodes, GpuType = "H100", GpuCount = 8, DetectionTime = TimeSpan.FromMilliseconds(50), Toleration = Toleration };
        var machine = new MachineContext(State, options.Path, [], "127.0.0.1", 6443);
        var agent = new NodeAgent(options, machine, "PEM", Cluster, Cluster, Cluster, TimeProvider.System, Log);
        await agent.RegisterAsync(CancellationToken.None);
        _stop = new CancellationTokenSource();
        _running = agent.RunAsync(end, _stop.Token);
    }

    protected async Task StopAsync()
    {
        await _stop!.CancelAsync();
        await _running;
    }

    protected static V1Pod Script(string name, string script, (string Mount, string Path)? shared = null)
    {
        var pod = Pod(name, "sh", "-c", script);
        if (shared is not { } s) return pod;
        pod.Spec.Volumes = [new V1Volume { Name = s.Mount, HostPath = new V1HostPathVolumeSource { Path = s.Path } }];
        pod.Spec.Containers[0].VolumeMounts = [new V1VolumeMount { Name = s.Mount, MountPath = "/" + s.Mount }];
        return pod;
    }

    protected static V1Pod Pod(string name, params string[] command) => new()
    {
        ApiVersion = "v1",
        Kind = "Pod",
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default", Uid = name + "-uid", Generation = 1 },
        Spec = new V1PodSpec { RestartPolicy = "Never", Containers = [new V1Container { Name = "main", Image = "x", Command = command }] },
    };

    protected string PodDirectory(V1Pod pod) => Path.Combine(State, "nodes", pod.Spec.NodeName, "pods", pod.Metadata.Uid);

    protected string LogFile(V1Pod pod) => Path.Combine(PodDirectory(pod), "main", "0.log");

    protected string[] Text(V1Pod pod) => [.. File.ReadAllLines(LogFile(pod)).Select(l => l.Split(' ', 4)[3])];

    protected string? Condition(string pod, string type) => Cluster.Pod(pod).Status?.Conditions?.FirstOrDefault(c => c.Type == type)?.Status;

    protected Task LogAsync(string pod, string text) => UntilAsync(() => Cluster.Pod(pod).Spec.NodeName is not null && File.Exists(LogFile(Cluster.Pod(pod))) && File.ReadAllText(LogFile(Cluster.Pod(pod))).Contains(text));

    protected async Task<V1Pod> PhaseAsync(string pod, string phase)
    {
        await UntilAsync(() => Cluster.Pod(pod).Status?.Phase == phase, () => k8s.KubernetesJson.Serialize(Cluster.Pod(pod).Status));
        return Cluster.Pod(pod);
    }

    protected async Task UntilAsync(Func<bool> condition, Func<string>? state = null)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            if (limit.IsCancellationRequested || _running.IsFaulted) throw new TimeoutException($"not in time; agent {_running.Status} {_running.Exception}; {state?.Invoke()}; events: {string.Join("; ", Cluster.Events)}\n{Log.Text}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
