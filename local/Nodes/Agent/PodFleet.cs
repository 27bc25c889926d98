using k8s.Models;
using Trestle.Local.Nodes.Network;
using Trestle.Local.Nodes.Pods;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Nodes.Agent;

/// <summary>The pods of this machine's nodes: one worker each, started, fed, and ended.</summary>
internal sealed class PodFleet(PodWorkerContext context)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Crew> _crews = [];
    private readonly HashSet<string> _nodes = [];
    private readonly Dictionary<string, Task> _failed = [];
    private readonly AddressPool _addresses = new();
    private bool _closed;

    private sealed record Crew(PodWorker Worker, Task Work, CancellationTokenSource Stop);

    /// <summary>Something changed that other pods' hosts files say.</summary>
    public event Action? Changed;

    /// <summary>Says which nodes are ours.</summary>
    public void Own(IEnumerable<string> nodes) => _nodes.UnionWith(nodes);

    /// <summary>Address of a pod of ours; null when we have no worker for it.</summary>
    public string? AddressOf(string uid)
    {
        lock (_lock) return _crews.TryGetValue(uid, out var crew) ? crew.Worker.Address : null;
    }

    /// <summary>Workers and their hosts files.</summary>
    public IReadOnlyList<PodWorker> Workers
    {
        get
        {
            lock (_lock) return [.. _crews.Values.Select(c => c.Worker)];
        }
    }

    /// <summary>Keeps addresses that pods have already been told.</summary>
    public void Reserve(IEnumerable<V1Pod> pods)
    {
        foreach (var pod in pods.Where(p => p.Status?.PodIP is not null && IsOurs(p))) _addresses.Take(pod.Metadata.Uid, pod.Status.PodIP);
    }

    /// <summary>A pod was added or changed.</summary>
    public void Take(V1Pod pod)
    {
        lock (_lock)
        {
            if (_closed || !IsOurs(pod) || _failed.ContainsKey(pod.Spec.NodeName)) return;
            if (_crews.TryGetValue(pod.Metadata.Uid, out var crew)) crew.Worker.Update(pod);
            else Begin(pod);
        }

        Changed?.Invoke();
    }

    /// <summary>A pod is gone from the API.</summary>
    public void Drop(V1Pod pod)
    {
        lock (_lock)
        {
            if (_crews.TryGetValue(pod.Metadata.Uid, out var crew)) crew.Worker.Vanish();
        }

        Changed?.Invoke();
    }

    /// <summary>The node dies: every process of its pods is killed at once and nothing more is said of them.</summary>
    public Task FailAsync(string node)
    {
        lock (_lock)
        {
            if (_failed.TryGetValue(node, out var failing)) return failing;
            var lost = _crews.Values.Where(c => c.Worker.Pod.Spec.NodeName == node).ToList();
            return _failed[node] = Task.Run(() => LoseAsync(node, lost));
        }
    }

    private async Task LoseAsync(string node, List<Crew> lost)
    {
        foreach (var crew in lost) await crew.Stop.CancelAsync();
        SandboxProcess.KillAllBelow(context.Machine.NodeDirectory(node));
        foreach (var crew in lost) await crew.Work;
        while (SandboxProcess.FindBelow(context.Machine.NodeDirectory(node)).Count > 0)
        {
            SandboxProcess.KillAllBelow(context.Machine.NodeDirectory(node));
            await Task.Delay(TimeSpan.FromMilliseconds(5), context.Time);
        }

        foreach (var crew in lost)
        {
            context.FreeMemory(crew.Worker.Pod.Metadata.Uid);
            Forget(crew.Worker.Pod.Metadata.Uid);
        }

        Changed?.Invoke();
    }

    /// <summary>The node is back with its disk: nothing runs, what its lost pods wrote can still be read.</summary>
    public async Task RestoreAsync(string node, IReadOnlyCollection<V1Pod> pods)
    {
        Task? failing;
        lock (_lock)
        {
            if (!_failed.TryGetValue(node, out failing)) return;
        }

        await failing; // a start that was in flight when the node failed must be over before anything is taken away or begun
        RemoveOrphans(context.Machine.NodeDirectory(node), Alive(pods));
        lock (_lock) _failed.Remove(node);
        foreach (var pod in pods.Where(p => p.Spec.NodeName == node)) Take(pod);
    }

    /// <summary>Ends all pods for good: the machine's plane is going down.</summary>
    public async Task ShutDownAsync(TimeSpan grace, CancellationToken ct)
    {
        var now = context.Time.GetUtcNow();
        List<Crew> crews;
        lock (_lock)
        {
            _closed = true; // the watch goes on and must not start another pod behind our back
            crews = [.. _crews.Values];
        }

        foreach (var crew in crews.Where(c => c.Worker.Pod.Spec.RestartPolicy == "Never" && c.Worker.Pod.Status?.Phase is not ("Succeeded" or "Failed")))
            crew.Worker.Stop(new StopCause("Terminated", "Pod was terminated in response to imminent node shutdown.", now + grace, "TerminationByKubelet"));
        while (!ct.IsCancellationRequested && context.Time.GetUtcNow() < now + grace + grace && crews.Any(c => c.Worker.IsStopping))
            await Task.Delay(TimeSpan.FromMilliseconds(20), context.Time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await DetachAsync();
        await KillBelowAsync(Path.Combine(context.Machine.StateDirectory, "nodes"), context.Time);
    }

    /// <summary>Lets go of all pods without touching their processes.</summary>
    public async Task DetachAsync()
    {
        List<Crew> crews;
        lock (_lock)
        {
            _closed = true;
            crews = [.. _crews.Values];
        }

        foreach (var crew in crews) await crew.Stop.CancelAsync();
        foreach (var crew in crews) await crew.Work;
    }

    /// <summary>Kills what belongs to no pod any more and removes what it left on disk. Only after a full list of pods.</summary>
    public void RemoveOrphans(IEnumerable<V1Pod> pods)
    {
        var alive = Alive(pods);
        var root = Path.Combine(context.Machine.StateDirectory, "nodes");
        foreach (var directory in Directory.Exists(root) ? Directory.GetDirectories(root, "*", SearchOption.TopDirectoryOnly) : [])
        {
            if (!_nodes.Contains(Path.GetFileName(directory))) SandboxProcess.KillAllBelow(directory); // of a start with more nodes; its logs stay
            RemoveOrphans(directory, alive);
        }
    }

    private void RemoveOrphans(string nodeDirectory, HashSet<(string Node, string Uid)> alive)
    {
        var pods = Path.Combine(nodeDirectory, "pods");
        foreach (var left in Directory.Exists(pods) ? Directory.GetDirectories(pods) : [])
        {
            if (alive.Contains((Path.GetFileName(nodeDirectory), Path.GetFileName(left)))) continue;
            while (SandboxProcess.KillAllBelow(left) > 0) { }
            context.FreeMemory(Path.GetFileName(left));
            PodDirectories.Remove(left);
            NodeLog.OrphanRemoved(context.Log, left);
        }
    }

    private static HashSet<(string Node, string Uid)> Alive(IEnumerable<V1Pod> pods) => [.. pods.Select(p => (p.Spec.NodeName, p.Metadata.Uid))];

    /// <summary>Kills every sandbox below a directory and waits until none is left.</summary>
    public static async Task KillBelowAsync(string directory, TimeProvider time)
    {
        while (SandboxProcess.FindBelow(directory).Count > 0)
        {
            SandboxProcess.KillAllBelow(directory);
            await Task.Delay(TimeSpan.FromMilliseconds(10), time);
        }
    }

    private bool IsOurs(V1Pod pod) => pod.Spec.NodeName is { Length: > 0 } node && _nodes.Contains(node);

    private void Begin(V1Pod pod)
    {
        var uid = pod.Metadata.Uid;
        var worker = new PodWorker(context, pod, pod.Spec.HostNetwork == true ? "127.0.0.1" : _addresses.Take(uid, pod.Status?.PodIP));
        var stop = new CancellationTokenSource();
        _crews[uid] = new Crew(worker, Task.Run(() => WorkAsync(worker, uid, stop.Token)), stop);
    }

    private async Task WorkAsync(PodWorker worker, string uid, CancellationToken ct)
    {
        try
        {
            await worker.RunAsync(ct);
            if (!ct.IsCancellationRequested) Forget(uid);
        }
#pragma warning disable CA1031 // one pod's trouble must not end the agent
        catch (Exception e)
#pragma warning restore CA1031
        {
            NodeLog.PodWorkerDied(context.Log, e, $"{worker.Pod.Metadata.NamespaceProperty}/{worker.Pod.Metadata.Name}");
            await Task.Delay(TimeSpan.FromSeconds(1), context.Time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_lock)
            {
                if (!_closed && !ct.IsCancellationRequested && _crews.Remove(uid)) Begin(worker.Pod);
            }
        }
    }

    private void Forget(string uid)
    {
        lock (_lock) _crews.Remove(uid);
        _addresses.Release(uid);
        Changed?.Invoke();
    }
}
