using System.Threading.Channels;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Trestle.Local.Nodes.Agent;
using Trestle.Local.Nodes.Containers;
using Trestle.Local.Nodes.Logs;
using Trestle.Local.Nodes.Network;
using Trestle.Local.Nodes.Sandbox;
using Trestle.Local.Nodes.Volumes;

namespace Trestle.Local.Nodes.Pods;

/// <summary>What all pod workers of the machine share.</summary>
internal sealed record PodWorkerContext(MachineContext Machine, IPodApi Api, VolumeContext Volumes, LogRelay Logs, IHostFiles Host, MemoryGroups Memory, TimeProvider Time, ILogger Log)
{
    /// <summary>Removes what a pod that is gone has outside its directory: memory-backed volumes and control groups.</summary>
    public void FreeMemory(string uid)
    {
        if (Volumes.MemoryRoot is { } root) PodDirectories.Remove(Path.Combine(root, uid));
        Memory.Remove(uid);
    }
}

/// <summary>
/// Carries one pod from binding to removal: looks at its processes, asks <see cref="PodPlanner"/>, takes the steps, publishes
/// the status. One loop; everything else only wakes it.
/// </summary>
internal sealed class PodWorker
{
    private static readonly TimeSpan AdoptedPoll = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan ConfigRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ApiRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LogsStay = TimeSpan.FromSeconds(1);
    private readonly PodWorkerContext _context;
    private readonly Channel<byte> _signal = Channel.CreateBounded<byte>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<string, ContainerRun> _runs = [];
    private readonly PodVolumes _volumes;
    private readonly string _directory;
    private readonly string _address;
    private readonly Lock _hosts = new();
    private volatile V1Pod _pod;
    private readonly StopRecord _stopRecord;
    private volatile StopCause? _asked;
    private StopCause? _stop;
    private volatile bool _vanished;
    private V1PodStatus? _published;
    private string? _publishedText;
    private bool _recovered;

    public PodWorker(PodWorkerContext context, V1Pod pod, string address)
    {
        _context = context;
        _pod = pod;
        _address = address;
        _directory = context.Machine.PodDirectory(pod.Spec.NodeName, pod.Metadata.Uid);
        _stopRecord = new StopRecord(_directory);
        _volumes = new PodVolumes(_directory, context.Volumes, context.Time);
        foreach (var init in pod.Spec.InitContainers ?? []) AddRun(init, true);
        foreach (var main in pod.Spec.Containers) AddRun(main, false);
    }

    public V1Pod Pod => _pod;

    public string Address => _address;

    public string HostsPath => Path.Combine(_directory, "hosts");

    /// <summary>Writes the pod's hosts file; false while it has no directory.</summary>
    public bool WriteHosts(string text)
    {
        lock (_hosts)
        {
            if (!Directory.Exists(_directory)) return false;
            HostsFile.Update(HostsPath, text);
            return true;
        }
    }

    /// <summary>Told to stop, and not yet ended.</summary>
    public bool IsStopping => _asked is not null && _published?.Phase is not ("Succeeded" or "Failed");

    /// <summary>Takes the pod's newest version from the API.</summary>
    public void Update(V1Pod pod)
    {
        _pod = pod;
        Wake();
    }

    /// <summary>Ends the pod for a reason of the node's.</summary>
    public void Stop(StopCause cause)
    {
        _asked ??= cause;
        Wake();
    }

    /// <summary>The pod is gone from the API: nothing of it may stay.</summary>
    public void Vanish()
    {
        _vanished = true;
        Wake();
    }

    /// <summary>Runs until the pod is removed; when cancelled, lets go of the processes without touching them.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (!ct.IsCancellationRequested)
            {
                while (_signal.Reader.TryRead(out _)) { }
                var next = await TurnAsync(ct);
                if (next is null) return;
                await SleepAsync(next.Value, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The agent stops; the processes stay for the next one.
        }
        finally
        {
            foreach (var run in _runs.Values) run.Dispose();
        }
    }

    /// <summary>Kills every process of the pod at once, without a word to the API.</summary>
    public void KillAll()
    {
        foreach (var run in _runs.Values) run.Kill();
    }

    // One look, plan and step. Gives how long to sleep; null when the pod is gone.
    private async Task<TimeSpan?> TurnAsync(CancellationToken ct)
    {
        try
        {
            if (_vanished)
            {
                await DiscardAsync(ct);
                return null;
            }

            if (!_recovered) Recover();
            foreach (var run in _runs.Values) run.Refresh(exit => NodeLog.ContainerEnded(_context.Log, Key, run.Spec.Name, exit.Code, exit.Reason));
            RestartUnwell();
            var pod = Present();
            if (_stop is null && _asked is { } asked && !PodPlanner.IsOver(Observe(pod))) TakeAsStopped(asked);
            var plan = PodPlanner.Plan(Observe(pod));
            var due = plan.WakeAt;
            if (plan.Steps.Count > 0)
            {
                due = await TakeAsync(pod, plan, ct) ?? due;
                plan = PodPlanner.Plan(Observe(pod));
            }

            if (!await PublishAsync(plan.Status, ct))
            {
                _vanished = true;
                return TimeSpan.Zero;
            }

            if (plan.Done && _pod.Metadata.DeletionTimestamp is not null)
            {
                await _context.Api.RemoveAsync(_pod, ct);
                NodeLog.PodRemoved(_context.Log, Key);
                await DiscardAsync(ct);
                return null;
            }

            return Pause(plan, due);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException || NodeApiErrors.IsPassing(e))
        {
            NodeLog.PodTurnFailed(_context.Log, Key, NodeApiErrors.Words(e));
            return ApiRetry;
        }
    }

    private PodObservation Observe(V1Pod pod) => new(pod, Slots(), _context.Time.GetUtcNow(), _address, HostAddress, _stop);

    private void TakeAsStopped(StopCause cause)
    {
        _stopRecord.Write(cause);
        _stop = cause;
    }

    private string Key => $"{_pod.Metadata.NamespaceProperty}/{_pod.Metadata.Name}";

    private static string HostAddress => "127.0.0.1";

    private void AddRun(V1Container container, bool isInit) =>
        _runs[container.Name] = new ContainerRun(container, isInit, new RunRecord(_directory, container.Name), _context.Time, _context.Logs, Wake);

    private Dictionary<string, ContainerSlot> Slots() => _runs.ToDictionary(r => r.Key, r => r.Value.Slot);

    private void Wake() => _signal.Writer.TryWrite(0);

    // The pod as the API has it, with our own last status where the watch has not brought it back yet.
    private V1Pod Present()
    {
        var pod = _pod;
        if (_published is null) return pod;
        var status = KubernetesJson.Deserialize<V1PodStatus>(_publishedText!);
        status.Conditions = PodStatusBuilder.Present(_published.Conditions, pod.Status?.Conditions ?? []);
        return new V1Pod { ApiVersion = pod.ApiVersion, Kind = pod.Kind, Metadata = pod.Metadata, Spec = pod.Spec, Status = status };
    }

    private void Recover()
    {
        Directory.CreateDirectory(_directory);
        File.WriteAllText(Path.Combine(_directory, "hostname"), PodHostName.Of(_pod) + "\n");
        lock (_hosts)
        {
            if (!File.Exists(HostsPath)) File.WriteAllText(HostsPath, $"127.0.0.1\tlocalhost\n{_address}\t{PodHostName.Of(_pod)}\n");
        }

        var statuses = (_pod.Status?.InitContainerStatuses ?? []).Concat(_pod.Status?.ContainerStatuses ?? []).ToDictionary(s => s.Name);
        var lost = false;
        foreach (var run in _runs.Values)
        {
            lost |= run.Recover(statuses.GetValueOrDefault(run.Spec.Name));
            if (run.Slot.Phase == ContainerPhase.Running) NodeLog.ContainerAdopted(_context.Log, Key, run.Spec.Name);
        }

        if (_pod.Status?.Phase is "Succeeded" or "Failed") lost = false;
        else _stop = _stopRecord.Read();
        if (lost && _stop is null && _pod.Spec.RestartPolicy == "Never")
            TakeAsStopped(new StopCause("Terminated", "The pod's processes were gone when the node agent came back", _context.Time.GetUtcNow(), "TerminationByKubelet"));
        _recovered = true;
    }

    private void RestartUnwell()
    {
        foreach (var run in _runs.Values.Where(r => r.Slot.Phase == ContainerPhase.Running && r.Unwell && !r.Slot.Stopping))
        {
            _context.Api.Record(_pod, true, "Unhealthy", $"Container {run.Spec.Name} failed its probe and will be restarted");
            run.Stop(_context.Time.GetUtcNow() + Grace, withHook: true);
        }
    }

    private TimeSpan Grace => TimeSpan.FromSeconds(_pod.Spec.TerminationGracePeriodSeconds ?? 30);

    private async Task<DateTimeOffset?> TakeAsync(V1Pod pod, PodPlan plan, CancellationToken ct)
    {
        DateTimeOffset? due = plan.WakeAt;
        PodObjects? objects = null;
        foreach (var step in plan.Steps)
        {
            var run = _runs[step.Container];
            switch (step)
            {
                case StartContainer start:
                    objects ??= await PrepareAsync(pod, run, ct);
                    ct.ThrowIfCancellationRequested(); // let go of in the meantime: what comes next is not ours to start
                    if (_vanished || _asked is not null) return due;
                    if (objects is not null) StartOne(pod, run, start.Restart, objects);
                    if (run.Slot.RetryAt is { } retry) due = Earlier(due, retry);
                    break;
                case StopContainer stop:
                    if (!run.Slot.Stopping) _context.Api.Record(_pod, false, "Killing", $"Stopping container {run.Spec.Name}");
                    due = Earlier(due, run.Stop(stop.Deadline, withHook: true));
                    run.Refresh(null);
                    break;
            }
        }

        return due;
    }

    private static DateTimeOffset Earlier(DateTimeOffset? a, DateTimeOffset b) => a is { } x && x < b ? x : b;

    private async Task<PodObjects?> PrepareAsync(V1Pod pod, ContainerRun run, CancellationToken ct)
    {
        try
        {
            var objects = await _context.Api.ReadObjectsAsync(pod, ct);
            if (pod.Status?.PodIP is null) pod = WithAddress(pod);
            await _volumes.PrepareAsync(pod, objects, ct);
            return objects;
        }
        catch (ContainerConfigException e)
        {
            Refuse(run, e.Message);
            return null;
        }
    }

    private V1Pod WithAddress(V1Pod pod) => new() { Metadata = pod.Metadata, Spec = pod.Spec, Status = new V1PodStatus { PodIP = _address, HostIP = HostAddress } };

    private void StartOne(V1Pod pod, ContainerRun run, int restart, PodObjects objects)
    {
        try
        {
            var spec = Specify(pod, run, restart, objects);
            run.Start(spec, restart, _context.Host);
            run.BeginProbes(_address);
            NodeLog.ContainerStarted(_context.Log, Key, run.Spec.Name, restart);
            _context.Api.Record(_pod, false, "Started", $"Container started: {run.Spec.Name}");
        }
        catch (ContainerConfigException e)
        {
            Refuse(run, e.Message);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            run.FailToStart(restart, $"container {run.Spec.Name} could not start: {e.Message}");
        }
    }

    private void Refuse(ContainerRun run, string message)
    {
        if (run.Slot.WaitMessage != message) _context.Api.Record(_pod, true, "Failed", $"Error: {message}");
        run.Postpone("CreateContainerConfigError", message, ConfigRetry);
    }

    private SandboxSpec Specify(V1Pod pod, ContainerRun run, int restart, PodObjects objects)
    {
        var container = run.Spec;
        var host = PodHostName.Of(pod);
        var environment = ContainerEnvironment.Build(pod, container, objects, _address, HostAddress, _context.Machine.Environment(host));
        var command = ContainerEnvironment.Command(container, environment);
        var directory = new RunRecord(_directory, container.Name).DirectoryOf(restart);
        foreach (var own in new[] { "tmp", "home" }) Directory.CreateDirectory(Path.Combine(directory, own));
        File.SetUnixFileMode(Path.Combine(directory, "tmp"), (UnixFileMode)0x3FF);
        File.WriteAllText(Path.Combine(directory, "termination"), "");
        var gpu = container.Resources?.Limits?.Keys.Any(k => k.Contains("gpu", StringComparison.Ordinal)) == true;
        var mounts = _context.Machine.Mounts(directory, _directory, container.TerminationMessagePath ?? "/dev/termination-log", gpu).Concat(_volumes.Mounts(pod, container, environment)).ToList();
        run.Environment = environment;
        var limit = container.Resources?.Limits?.TryGetValue("memory", out var memory) == true ? memory.ToInt64() : (long?)null;
        var group = limit is { } bytes ? _context.Memory.Make($"{pod.Metadata.Uid}-{container.Name}", bytes) : null;
        return new SandboxSpec(directory, command, [.. environment], container.WorkingDir is { Length: > 0 } w ? w : MachineContext.Home, host, mounts, [_context.Machine.StateDirectory], group);
    }

    private async Task<bool> PublishAsync(V1PodStatus status, CancellationToken ct)
    {
        var text = KubernetesJson.Serialize(status);
        if (text == _publishedText) return true;
        if (!await _context.Api.PublishAsync(_pod, status, ct)) return false;
        if (_published?.Phase != status.Phase) NodeLog.PodPhase(_context.Log, Key, status.Phase);
        _published = status;
        _publishedText = text;
        return true;
    }

    private TimeSpan Pause(PodPlan plan, DateTimeOffset? due)
    {
        if (!plan.Done && _volumes.RenewAt is { } renew) due = Earlier(due, renew);
        if (_runs.Values.Any(r => r.Adopted && r.Slot.Phase == ContainerPhase.Running)) due = Earlier(due, _context.Time.GetUtcNow() + AdoptedPoll);
        if (due is not { } at) return Timeout.InfiniteTimeSpan;
        var left = at - _context.Time.GetUtcNow();
        return left < TimeSpan.FromMilliseconds(10) ? TimeSpan.FromMilliseconds(10) : left;
    }

    private async Task SleepAsync(TimeSpan pause, CancellationToken ct)
    {
        if (pause == TimeSpan.Zero) return;
        using var timer = pause == Timeout.InfiniteTimeSpan ? new CancellationTokenSource() : new CancellationTokenSource(pause < TimeSpan.FromDays(1) ? pause : TimeSpan.FromDays(1), _context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, ct);
        try
        {
            await _signal.Reader.WaitToReadAsync(both.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // The pause is over.
        }

        if (_volumes.RenewAt is { } renew && renew <= _context.Time.GetUtcNow()) await RefreshVolumesAsync(ct);
    }

    private async Task RefreshVolumesAsync(CancellationToken ct)
    {
        try
        {
            await _volumes.PrepareAsync(_pod, await _context.Api.ReadObjectsAsync(_pod, ct), ct);
        }
        catch (Exception e) when (e is ContainerConfigException or HttpRequestException or IOException || NodeApiErrors.IsPassing(e))
        {
            _volumes.PutOff();
            NodeLog.PodTurnFailed(_context.Log, Key, NodeApiErrors.Words(e));
        }
    }

    private async Task DiscardAsync(CancellationToken ct)
    {
        KillAll();
        while (SandboxProcess.FindBelow(_directory).Count > 0)
        {
            SandboxProcess.KillAllBelow(_directory);
            await Task.Delay(TimeSpan.FromMilliseconds(10), _context.Time, ct);
        }

        foreach (var run in _runs.Values) run.Dispose();
        _context.FreeMemory(_pod.Metadata.Uid);
        await Task.Delay(LogsStay, _context.Time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // who follows the log still reads its last lines
        PodDirectories.Remove(_directory);
    }
}
