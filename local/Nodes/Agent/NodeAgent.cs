using k8s.Models;
using Microsoft.Extensions.Logging;
using Trestle.Local.Nodes.Containers;
using Trestle.Local.Nodes.Logs;
using Trestle.Local.Nodes.Pods;
using Trestle.Local.Nodes.Sandbox;
using Trestle.Local.Nodes.Scheduling;
using Trestle.Local.Nodes.Volumes;

namespace Trestle.Local.Nodes.Agent;

/// <summary>How the agent is to end.</summary>
public enum AgentEnd
{
    /// <summary>Pods go with it: the plane goes down.</summary>
    StopPods,

    /// <summary>Pods stay for the next agent.</summary>
    LeavePods,
}

/// <summary>All virtual nodes of one machine in one process: registration, scheduling, pods, faults.</summary>
public sealed class NodeAgent
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(5);
    private readonly NodesOptions _options;
    private readonly IClusterView _view;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly LogRelay _relay;
    private readonly PodFleet _fleet;
    private readonly HostsBoard _hosts;
    private readonly Scheduler _scheduler;
    private readonly NodeLifecycle _lifecycle;
    private readonly MemoryGroups _memory;

    /// <summary>Puts the agent together; nothing runs yet.</summary>
    public NodeAgent(NodesOptions options, MachineContext machine, string authorityPem, IClusterView view, IClusterApi api, IPodApi pods, TimeProvider time, ILogger log)
    {
        options.Validate();
        (_options, _view, _time, _log) = (options, view, time, log);
        _relay = new LogRelay(time);
        _memory = MemoryGroups.Open("/sys/fs/cgroup", "trestle-" + StateName(options.StateDirectory));
        var volumes = new VolumeContext(Path.Combine(options.StateDirectory, "claims"), MemoryRoot(options.StateDirectory), authorityPem, pods.CreateTokenAsync);
        _fleet = new PodFleet(new PodWorkerContext(machine, pods, volumes, _relay, new HostFiles(), _memory, time, log));
        _hosts = new HostsBoard(_fleet, view);
        _scheduler = new Scheduler(view, api, time, log);
        _lifecycle = new NodeLifecycle(options, view, api, _fleet, _memory.Enforced, time, log);
    }

    /// <summary>Directory of memory-backed volumes of a state directory; null when /dev/shm is not writable.</summary>
    public static string? MemoryRoot(string stateDirectory) => Directory.Exists("/dev/shm") ? Path.Combine("/dev/shm", "trestle-" + StateName(stateDirectory)) : null;

    /// <summary>Removes what lies outside the state directory; its pods must be gone.</summary>
    public static void RemoveTraces(string stateDirectory)
    {
        if (MemoryRoot(stateDirectory) is { } root) PodDirectories.Remove(root);
        MemoryGroups.Open("/sys/fs/cgroup", "trestle-" + StateName(stateDirectory)).RemoveAll();
    }

    /// <summary>Registers the nodes. Retries are the caller's.</summary>
    public Task RegisterAsync(CancellationToken ct) => _lifecycle.RegisterAsync(ct);

    /// <summary>Runs until cancelled; the view must be in sync.</summary>
    public async Task RunAsync(AgentEnd end, CancellationToken ct)
    {
        _fleet.Own(NodeObjects.Names(_options));
        _fleet.RemoveOrphans(_view.Pods);
        _fleet.Reserve(_view.Pods);
        foreach (var node in _view.Nodes) await _lifecycle.LookAsync(node.Metadata.Name);

        var hosts = new Bell(_time, Settle);
        var scheduling = new Bell(_time, Settle);
        var nodes = new Bell(_time, Settle);
        _fleet.Changed += hosts.Ring;
        _view.PodChanged += pod => { _fleet.Take(pod); Ring(pod, scheduling, nodes); };
        _view.PodGone += pod => { _fleet.Drop(pod); Ring(pod, scheduling, nodes); };
        _view.ServicesChanged += hosts.Ring;
        _view.NodeChanged += name => { _ = _lifecycle.LookAsync(name); nodes.Ring(); scheduling.Ring(); };
        foreach (var pod in _view.Pods) _fleet.Take(pod);

        using var logs = new CancellationTokenSource();
        var relay = _relay.RunAsync(e => NodeLog.LogsStuck(_log, e.Message), logs.Token);
        await Task.WhenAll(
            hosts.RunAsync(_ => { _hosts.Refresh(); return Task.CompletedTask; }, e => NodeLog.LoopFailed(_log, "writing hosts files", NodeApiErrors.Words(e)), TimeSpan.FromMinutes(1), ct),
            scheduling.RunAsync(_scheduler.PassAsync, e => NodeLog.SchedulingFailed(_log, NodeApiErrors.Words(e)), TimeSpan.FromSeconds(30), ct),
            nodes.RunAsync(_lifecycle.PassAsync, e => NodeLog.LoopFailed(_log, "looking after the nodes", NodeApiErrors.Words(e)), ct),
            new Bell(_time, Settle).RunAsync(_lifecycle.BeatAsync, e => NodeLog.LoopFailed(_log, "the heartbeat", NodeApiErrors.Words(e)), TimeSpan.FromSeconds(10), ct));

        if (end == AgentEnd.StopPods) await _fleet.ShutDownAsync(_options.ShutdownGrace, CancellationToken.None);
        else await _fleet.DetachAsync();
        await logs.CancelAsync();
        await relay;
    }

    private static void Ring(V1Pod pod, Bell scheduling, Bell nodes)
    {
        scheduling.Ring();
        if (pod.Spec.NodeName is { Length: > 0 }) nodes.Ring();
    }

    // Two planes of one machine must not meet outside their state directories.
    private static string StateName(string stateDirectory) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(stateDirectory.TrimEnd('/'))))[..12];
}
