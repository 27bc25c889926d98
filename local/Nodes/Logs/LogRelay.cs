using System.Collections.Concurrent;

namespace Trestle.Local.Nodes.Logs;

/// <summary>Pumps the logs of every running container of this machine from one loop: often while something is written, seldom when not.</summary>
public sealed class LogRelay(TimeProvider time)
{
    private static readonly TimeSpan Busy = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan StaysBusy = TimeSpan.FromSeconds(3);
    private readonly ConcurrentDictionary<LogPump, byte> _pumps = [];
    private long _lastMoved = time.GetTimestamp();

    /// <summary>Adds a container's log.</summary>
    public void Add(LogPump pump)
    {
        _pumps[pump] = 0;
        _lastMoved = time.GetTimestamp();
    }

    /// <summary>Moves the rest of an ended container's output and closes its log.</summary>
    public void Finish(LogPump pump)
    {
        _pumps.TryRemove(pump, out _);
        lock (pump)
        {
            pump.Pump(final: true);
            pump.Dispose();
        }
    }

    /// <summary>Pumps until cancelled. A full disk is waited out: nothing is lost, as the raw output keeps its place.</summary>
    public async Task RunAsync(Action<Exception> failed, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            foreach (var pump in _pumps.Keys) PumpOne(pump, failed);
            var pause = time.GetElapsedTime(_lastMoved) < StaysBusy ? Busy : Idle;
            await Task.Delay(pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void PumpOne(LogPump pump, Action<Exception> failed)
    {
        lock (pump)
        {
            if (!_pumps.ContainsKey(pump)) return;
            try
            {
                if (pump.Pump()) _lastMoved = time.GetTimestamp();
            }
            catch (IOException e)
            {
                failed(e);
            }
        }
    }
}
