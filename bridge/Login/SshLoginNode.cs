using Microsoft.Extensions.Logging;

namespace Trestle.Bridge.Login;

/// <summary>A login node over SSH: one connection that is made when it is needed, shared, and made anew when it is lost.</summary>
internal sealed class SshLoginNode(ClusterLogin login, SshConnector connector, SemaphoreSlim logins, SshOptions options, TimeProvider time, ILogger log, CancellationToken end) : ILoginNode
{
    private readonly Lock _lock = new();
    private readonly ReconnectDelay _delay = new(time, wait => wait * (0.5 + Random.Shared.NextDouble()));
    private SshConnection? _connection;
    private Task<SshConnection>? _connecting;
    private string _lastFailure = "";

    public async Task<CommandOutput> RunAsync(string script, CancellationToken ct)
    {
        var frame = ScriptFrame.Around(script);
        var connection = await EnterAsync(ct);
        using var late = new CancellationTokenSource(options.CommandTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        try
        {
            var answer = await connection.RunAsync(frame, either.Token);
            lock (_lock) _delay.Succeeded();
            return answer;
        }
        catch (OperationCanceledException error) when (!ct.IsCancellationRequested)
        {
            // Perhaps the script is slow, perhaps the connection is dead without a sign.
            lock (_lock) GiveUp(connection, "no answer in time");
            throw new ContactLostException($"no complete answer came from {login.Host} within {options.CommandTimeout.TotalSeconds:0} s", error);
        }
    }

    /// <summary>Closes the connection when nothing has run on it for that long.</summary>
    public void CloseIdle(TimeSpan limit)
    {
        lock (_lock)
        {
            if (_connection is { } idle && idle.Idle >= limit) GiveUp(idle, "idle");
        }
    }

    /// <summary>The connection takes no new script and is closed after those at work.</summary>
    public void Close()
    {
        lock (_lock) _connection?.Retire();
    }

    // A connection can be lost while scripts wait for a channel of it; nothing has been sent for them yet.
    private async Task<SshConnection> EnterAsync(CancellationToken ct)
    {
        while (true)
        {
            var connection = await ConnectionAsync().WaitAsync(ct);
            if (await connection.EnterAsync(ct)) return connection;
        }
    }

    private Task<SshConnection> ConnectionAsync()
    {
        lock (_lock)
        {
            if (_connection is { IsUsable: true } usable) return Task.FromResult(usable);
            if (_connection is { } old) Replace(old);
            if (_connecting is not null) return _connecting;
            return _delay.Remaining is { Ticks: > 0 } left
                ? throw new ContactLostException($"{_lastFailure} (next try in {Math.Ceiling(left.TotalSeconds):0} s)")
                : _connecting = Task.Run(ConnectAsync, CancellationToken.None);
        }
    }

    // For all who wait, so that none of them can cancel it for the others.
    private async Task<SshConnection> ConnectAsync()
    {
        try
        {
            var connection = await LogInAsync();
            lock (_lock) (_connection, _connecting) = (connection, null);
            LoginLog.Connected(log, login);
            return connection;
        }
        catch (OperationCanceledException error) when (end.IsCancellationRequested)
        {
            throw new ContactLostException("the bridge ends", error);
        }
        catch (Exception error)
        {
            lock (_lock)
            {
                _connecting = null;
                _lastFailure = error.Message;
                _delay.Failed();
                LoginLog.ConnectFailed(log, login, error.Message, _delay.Remaining.TotalSeconds);
            }

            throw;
        }
    }

    private async Task<SshConnection> LogInAsync()
    {
        await logins.WaitAsync(end);
        try
        {
            return await connector.ConnectAsync(login, end);
        }
        finally
        {
            logins.Release();
        }
    }

    // Under the lock. A host that lets in and hangs up is to be left alone like one that lets nobody in.
    private void Replace(SshConnection connection)
    {
        GiveUp(connection, connection.IsWornOut ? "too many abandoned scripts" : "lost");
        if (connection.HasAnswered || connection.IsWornOut) return;
        _lastFailure = $"{login.Host} let {login.User} in and hung up before a script was answered; the log of its sshd says why";
        _delay.Failed();
    }

    // Under the lock.
    private void GiveUp(SshConnection connection, string reason)
    {
        connection.Retire();
        if (_connection != connection) return;
        _connection = null;
        LoginLog.Retired(log, login, reason);
    }
}
