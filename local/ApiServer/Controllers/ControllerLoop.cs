using Microsoft.Extensions.Logging;

namespace Trestle.Local.ApiServer;

/// <summary>The controllers a cluster has inside: custom kinds, namespaces and garbage collection. One reader follows every change in order.</summary>
internal sealed partial class ControllerLoop : IAsyncDisposable
{
    private readonly ServerParts _parts;
    private readonly CustomKinds _kinds;
    private readonly NamespaceController _namespaces;
    private readonly GarbageCollector _garbage;
    private readonly ILogger<ControllerLoop> _logger;
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    public ControllerLoop(ServerParts parts, string caPem, ILogger<ControllerLoop> logger)
    {
        _parts = parts;
        _logger = logger;
        _kinds = new CustomKinds(parts);
        _namespaces = new NamespaceController(parts, caPem);
        _garbage = new GarbageCollector(parts);
    }

    /// <summary>Before the first request: custom kinds are known again.</summary>
    public Task PrepareAsync()
    {
        _kinds.Load();
        return Task.CompletedTask;
    }

    /// <summary>Makes what every cluster has and follows changes from here on.</summary>
    public async Task StartAsync(int port)
    {
        _garbage.Load();
        _loop = Task.Run(FollowAsync, CancellationToken.None);
        await _namespaces.CreateInitialAsync(port);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task FollowAsync()
    {
        using var retry = new PeriodicTimer(TimeSpan.FromSeconds(1), _parts.Time);
        var tick = retry.WaitForNextTickAsync(_stop.Token).AsTask();
        var more = _parts.Store.AllChanges.WaitToReadAsync(_stop.Token).AsTask();
        try
        {
            while (true)
            {
                var done = await Task.WhenAny(more, tick);
                if (done == more)
                {
                    if (!await more) return;
                    while (_parts.Store.AllChanges.TryRead(out var change)) Observe(change);
                    more = _parts.Store.AllChanges.WaitToReadAsync(_stop.Token).AsTask();
                }
                else
                {
                    await tick;
                    tick = retry.WaitForNextTickAsync(_stop.Token).AsTask();
                }

                await WorkAsync();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private void Observe(WatchEvent change)
    {
        if (change.Resource == CustomKinds.Resource) _kinds.Observe(change);
        _namespaces.Observe(change);
        _garbage.Observe(change);
    }

    private async Task WorkAsync()
    {
        try
        {
            await _kinds.WorkAsync();
            await _namespaces.WorkAsync();
            await _garbage.WorkAsync();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // What was left undone is still queued and is tried again at the next tick.
            LogFailure(e);
        }
    }

    [LoggerMessage(3101, LogLevel.Error, "A controller failed; it tries again")]
    private partial void LogFailure(Exception exception);
}
