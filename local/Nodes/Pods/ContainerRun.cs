using k8s.Models;
using Trestle.Local.Nodes.Containers;
using Trestle.Local.Nodes.Logs;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Nodes.Pods;

/// <summary>The live side of one container: its process, log and probes. Owned by one pod worker and only touched from it.</summary>
internal sealed class ContainerRun(V1Container spec, bool isInit, RunRecord record, TimeProvider time, LogRelay relay, Action wake) : IDisposable
{
    private const int MaxMessage = 4096;
    private LogPump? _pump;
    private CancellationTokenSource? _probes;
    private bool _preStopBegun;
    private volatile bool _preStopDone;
    private DateTimeOffset? _termAt;
    private volatile bool _unwell;
    private volatile bool _started;
    private volatile bool _ready;

    public V1Container Spec => spec;

    public bool IsInit => isInit;

    public ContainerSlot Slot { get; private set; } = new(spec.Name);

    public SandboxProcess? Sandbox { get; private set; }

    public bool Adopted { get; private set; }

    public IReadOnlyDictionary<string, string> Environment { get; set; } = new Dictionary<string, string>();

    /// <summary>Takes over what an earlier agent left. True when the container ran and is gone without a trace.</summary>
    public bool Recover(V1ContainerStatus? published)
    {
        if (record.Newest() is not { } run) return RecoverPublished(published);
        Slot = Slot with { Restarts = run, Previous = run > 0 ? record.ReadExit(run - 1) : null };
        if (record.ReadExit(run) is { } exit)
        {
            Slot = Slot with { Phase = ContainerPhase.Exited, Exit = exit };
            return false;
        }

        var sandbox = new SandboxProcess(record.DirectoryOf(run));
        var reading = sandbox.Read();
        if (reading.State == SandboxState.Absent)
        {
            record.Forget(run);
            Slot = Slot with { Exit = Slot.Previous, Previous = null };
            return false;
        }

        Attach(sandbox, run, reading.StartedAt);
        Adopted = true;
        _started = published?.Started ?? spec.StartupProbe is null;
        _ready = published?.Ready ?? false;
        Refresh(null);
        return reading.State == SandboxState.Lost;
    }

    public void Start(SandboxSpec sandboxSpec, int restart, IHostFiles host)
    {
        var sandbox = new SandboxProcess(sandboxSpec.Directory);
        sandbox.Start(sandboxSpec, host);
        try
        {
            Attach(sandbox, restart, time.GetUtcNow());
        }
        catch
        {
            sandbox.Kill(); // nobody would look after it, and the next try must not run beside it
            throw;
        }

        Adopted = false;
        _started = spec.StartupProbe is null;
        _ready = _started && spec.ReadinessProbe is null;
        Slot = Slot with { Started = _started, Ready = _ready };
        _ = WakeAtExitAsync(sandbox);
    }

    public void BeginProbes(string address)
    {
        if (_probes is not null || (spec.StartupProbe ?? spec.ReadinessProbe ?? spec.LivenessProbe) is null) return;
        _probes = new CancellationTokenSource();
        var sandbox = Sandbox!;
        var target = new ProbeTarget(address, spec, (command, ct) => SandboxEntry.RunAsync(sandbox, command, Environment, ct));
        _ = ProbeAllAsync(target, _probes.Token);
    }

    /// <summary>Cannot be made: wait and try again.</summary>
    public void Postpone(string reason, string message, TimeSpan retry) =>
        Slot = Slot with { Phase = Slot.Exit is null ? ContainerPhase.Waiting : Slot.Phase, WaitReason = reason, WaitMessage = message, RetryAt = time.GetUtcNow() + retry };

    /// <summary>The process could not be made at all.</summary>
    public void FailToStart(int restart, string message)
    {
        var now = time.GetUtcNow();
        Slot = Slot with { Restarts = restart, Previous = Slot.Exit ?? Slot.Previous };
        End(new ContainerExit(128, "StartError", message, now, now));
    }

    /// <summary>Reads the process's state into the slot.</summary>
    public void Refresh(Action<ContainerExit>? ended)
    {
        if (Slot.Phase != ContainerPhase.Running || Sandbox is null) return;
        var reading = Sandbox.Read();
        if (reading.State == SandboxState.Running)
        {
            Slot = Slot with { Started = _started, Ready = _started && _ready, Stopping = _termAt is not null };
            return;
        }

        CloseLog();
        End(Judge(reading));
        ended?.Invoke(Slot.Exit!);
    }

    /// <summary>One turn of stopping: preStop, TERM, and KILL at the deadline. Gives when the next turn is due.</summary>
    public DateTimeOffset Stop(DateTimeOffset deadline, bool withHook)
    {
        var now = time.GetUtcNow();
        if (now >= deadline)
        {
            Sandbox?.Kill();
            return now.AddMilliseconds(50);
        }

        if (!_preStopBegun)
        {
            _preStopBegun = true;
            _preStopDone = !withHook || spec.Lifecycle?.PreStop is null;
            if (!_preStopDone) _ = PreStopAsync(deadline - now);
        }

        if (_preStopDone && _termAt is null)
        {
            if (Sandbox?.Terminate() == true) _termAt = now;
            else return now.AddMilliseconds(20); // still being set up: try again at once
        }

        return deadline;
    }

    /// <summary>Whether its liveness or startup probe wants it stopped.</summary>
    public bool Unwell => _unwell;

    public void Kill() => Sandbox?.Kill();

    /// <summary>Lets go without touching the process.</summary>
    public void Dispose()
    {
        _probes?.Cancel();
        _probes?.Dispose();
        _probes = null;
        CloseLog();
    }

    private void Attach(SandboxProcess sandbox, int run, DateTimeOffset startedAt)
    {
        Sandbox = sandbox;
        (_preStopBegun, _preStopDone, _termAt, _unwell) = (false, false, null, false);
        var exit = Slot.Exit;
        Slot = Slot with { Phase = ContainerPhase.Running, Restarts = run, StartedAt = startedAt, Previous = exit ?? Slot.Previous, Exit = null, Stopping = false, WaitReason = null, WaitMessage = null, RetryAt = null };
        _pump = new LogPump(sandbox.OutputFile, sandbox.ErrorFile, record.LogOf(run), time);
        relay.Add(_pump);
    }

    private void CloseLog()
    {
        if (_pump is { } pump) relay.Finish(pump);
        _pump = null;
    }

    private void End(ContainerExit exit)
    {
        _probes?.Cancel();
        _probes?.Dispose();
        _probes = null;
        Slot = Slot with { Phase = ContainerPhase.Exited, Exit = exit, Started = false, Ready = false, Stopping = false, WaitReason = null, WaitMessage = null, RetryAt = null };
        record.WriteExit(Slot.Restarts, exit);
        if (Sandbox is { } sandbox) File.Delete(sandbox.TerminationFile);
        Sandbox = null;
    }

    private ContainerExit Judge(SandboxReading reading)
    {
        var finished = reading.FinishedAt ?? time.GetUtcNow();
        return reading.State switch
        {
            SandboxState.Exited => new(reading.ExitCode!.Value, reading.ExitCode == 0 ? "Completed" : "Error", Message(reading.ExitCode.Value), reading.StartedAt, finished),
            SandboxState.NotStarted => new(128, "StartError", StartError(reading.Error!), reading.StartedAt, finished),
            SandboxState.Absent => new(128, "StartError", "the sandbox could not be started", Slot.StartedAt, finished),
            _ => new(137, Adopted ? "ContainerStatusUnknown" : "Error", Adopted ? "The container could not be located when the node agent came back" : Message(137), reading.StartedAt, finished),
        };
    }

    private string StartError(string words) => words.StartsWith("execvp ", StringComparison.Ordinal)
        ? $"container {spec.Name} could not start: {words["execvp ".Length..]}; on one machine the image is not pulled, so its commands must exist on this machine"
        : $"container {spec.Name} could not start: {words}";

    private string? Message(int code)
    {
        try
        {
            using var file = File.OpenRead(Sandbox!.TerminationFile);
            var bytes = new byte[Math.Min(MaxMessage, file.Length)];
            var text = System.Text.Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
            if (text.Length > 0) return text;
        }
        catch (IOException)
        {
            // The user removed or replaced it.
        }

        return code != 0 && spec.TerminationMessagePolicy == "FallbackToLogsOnError" ? CriLog.Tail(record.LogOf(Slot.Restarts)) : null;
    }

    private static DateTimeOffset Utc(DateTime? time) => time is { } t ? new DateTimeOffset(t.ToUniversalTime(), TimeSpan.Zero) : default;

    private bool RecoverPublished(V1ContainerStatus? published)
    {
        if (published?.State?.Terminated is { } ended)
        {
            Slot = Slot with { Phase = ContainerPhase.Exited, Restarts = published.RestartCount, Exit = new ContainerExit(ended.ExitCode, ended.Reason ?? "Error", ended.Message, Utc(ended.StartedAt), Utc(ended.FinishedAt)) };
            return false;
        }

        if (published?.State?.Running is null) return false;
        var now = time.GetUtcNow();
        Slot = Slot with { Phase = ContainerPhase.Exited, Restarts = published.RestartCount, Exit = new ContainerExit(137, "ContainerStatusUnknown", "The container could not be located when the node agent came back", Utc(published.State.Running.StartedAt), now) };
        return true;
    }

    private async Task WakeAtExitAsync(SandboxProcess sandbox)
    {
        await sandbox.ExitAsync(CancellationToken.None);
        wake();
    }

    private async Task PreStopAsync(TimeSpan limit)
    {
        using var late = new CancellationTokenSource(limit, time);
        try
        {
            var hook = spec.Lifecycle!.PreStop!;
            if (hook.Exec is { } exec) await SandboxEntry.RunAsync(Sandbox!, [.. exec.Command], Environment, late.Token);
            else if (hook.Sleep is { } sleep) await Task.Delay(TimeSpan.FromSeconds(sleep.Seconds), time, late.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            // A hook that fails or takes too long does not keep the container.
        }

        _preStopDone = true;
        wake();
    }

    private async Task ProbeAllAsync(ProbeTarget target, CancellationToken ct)
    {
        try
        {
            if (spec.StartupProbe is { } startup && !_started)
            {
                await ProbeUntilAsync(startup, target, verdict => { _started |= verdict; _unwell |= !verdict; }, stopAtSuccess: true, ct);
                _ready = _started && spec.ReadinessProbe is null;
                wake();
            }

            var readiness = spec.ReadinessProbe is { } r ? ProbeUntilAsync(r, target, verdict => { _ready = verdict; }, false, ct) : Task.CompletedTask;
            var liveness = spec.LivenessProbe is { } l ? ProbeUntilAsync(l, target, verdict => _unwell |= !verdict, false, ct) : Task.CompletedTask;
            await Task.WhenAll(readiness, liveness);
        }
        catch (OperationCanceledException)
        {
            // The container ended.
        }
    }

    private async Task ProbeUntilAsync(V1Probe probe, ProbeTarget target, Action<bool> judged, bool stopAtSuccess, CancellationToken ct)
    {
        var tally = new ProbeTally(probe);
        await Task.Delay(TimeSpan.FromSeconds(probe.InitialDelaySeconds ?? 0), time, ct);
        while (!ct.IsCancellationRequested)
        {
            var verdict = tally.Count(await Probe.AskAsync(probe, target, time, ct) is null);
            if (verdict is { } clear)
            {
                judged(clear);
                wake();
                if (stopAtSuccess) return;
            }

            await Task.Delay(TimeSpan.FromSeconds(Math.Max(1, probe.PeriodSeconds ?? 10)), time, ct);
        }
    }
}
