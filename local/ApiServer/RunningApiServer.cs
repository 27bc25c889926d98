using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;

namespace Trestle.Local.ApiServer;

/// <summary>A server that answers until it is stopped.</summary>
public sealed class RunningApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ObjectStore _store;
    private readonly ControllerLoop _controllers;
    private readonly CancellationTokenSource _stopping;
    private int _stopped;

    internal RunningApiServer(WebApplication app, ServerParts parts, ControllerLoop controllers, CancellationTokenSource stopping)
    {
        _app = app;
        _store = parts.Store;
        Parts = parts;
        _controllers = controllers;
        _stopping = stopping;
    }

    /// <summary><c>https://127.0.0.1:PORT</c>.</summary>
    public required Uri Uri { get; init; }

    /// <summary>Clients trust this, and nothing else is signed by it.</summary>
    public required X509Certificate2 CaCertificate { get; init; }

    /// <summary>Bearer token that may do everything; keep it out of logs.</summary>
    public required string AdminToken { get; init; }

    /// <summary>Null for a server in memory.</summary>
    public required string? KubeconfigPath { get; init; }

    internal ServerParts Parts { get; }

    /// <summary>Ends watches and followed logs, finishes the rest, closes the journal.</summary>
    public async Task StopAsync(CancellationToken cancel = default)
    {
        if (Interlocked.Exchange(ref _stopped, 1) == 1) return;
        await _stopping.CancelAsync();
        await _app.StopAsync(cancel);
        await _controllers.DisposeAsync();
        await _store.DisposeAsync();
        await _app.DisposeAsync();
        _stopping.Dispose();
    }

    /// <summary>Stops the server when it still runs.</summary>
    public async ValueTask DisposeAsync() => await StopAsync();
}
