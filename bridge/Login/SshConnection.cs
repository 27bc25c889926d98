using Renci.SshNet;
using Renci.SshNet.Common;

namespace Trestle.Bridge.Login;

/// <summary>One connection to a login node, shared by a limited number of scripts at once.</summary>
#pragma warning disable CA1001 // a SemaphoreSlim whose wait handle nobody asks for holds nothing; the way is closed by the last to leave
internal sealed class SshConnection(SshWay way, SshOptions options, TimeProvider time)
#pragma warning restore CA1001
{
    /// <summary>
    /// Scripts that nobody waits for any more and that may still run: sshd counts them among its ten sessions until they end,
    /// so that a connection with so many is given up for a new one.
    /// </summary>
    public const int AbandonedChannels = 2;

    // Every login shell understands these two words; the shell's own syntax and its start files stay out of the script.
    private const string Shell = "exec /bin/sh";

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _channels = new(options.ChannelsPerConnection);
    private readonly Lock _lock = new();
    private int _users;
    private int _abandoned;
    private volatile bool _isRetired;
    private bool _isClosed;
    private long _usedAt = time.GetTimestamp();

    /// <summary>Takes new scripts.</summary>
    public bool IsUsable => !_isRetired && way.IsConnected;

    /// <summary>Given up because of scripts that nobody waits for; the host is not to blame.</summary>
    public bool IsWornOut => Volatile.Read(ref _abandoned) >= AbandonedChannels;

    /// <summary>Some script was answered: this is a login node that works.</summary>
    public bool HasAnswered { get; private set; }

    public TimeSpan Idle => _users > 0 ? TimeSpan.Zero : time.GetElapsedTime(_usedAt);

    /// <summary>Waits for a free channel. False when the connection is of no use any more; then nothing is held.</summary>
    public async Task<bool> EnterAsync(CancellationToken ct)
    {
        lock (_lock)
        {
            if (!IsUsable) return false;
            _users++;
        }

        try
        {
            await _channels.WaitAsync(ct);
        }
        catch
        {
            Leave();
            throw;
        }

        if (IsUsable) return true;
        _channels.Release();
        Leave();
        return false;
    }

    /// <summary>Runs a script on the channel that was entered, which is free again some time after.</summary>
    /// <exception cref="ContactLostException">There is no complete answer.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; the script may go on.</exception>
    public async Task<CommandOutput> RunAsync(ScriptFrame frame, CancellationToken ct)
    {
        var command = way.End.CreateCommand(Shell);
        var exchange = new SshExchange(command, frame, options, time);
        var isAnswered = false;
        try
        {
            var answer = await exchange.RunAsync(ct);
            isAnswered = HasAnswered = true;
            return answer;
        }
        catch (SshException error) when (error is not SshConnectionException)
        {
            Retire();
            throw new ContactLostException("the login node refuses another session on a connection (its sshd's MaxSessions is below 10?); a new connection is made next time", error);
        }
        catch (SshConnectionException error)
        {
            throw new ContactLostException("the connection to the login node was lost before a script was sent", error);
        }
        finally
        {
            _ = FreeAsync(command, exchange, isAnswered ? Grace : TimeSpan.Zero);
        }
    }

    /// <summary>No new scripts; closed when those at work have ended.</summary>
    public void Retire()
    {
        lock (_lock)
        {
            _isRetired = true;
            CloseIfDone();
        }
    }

    // sshd counts a session until it has seen the shell's end and our goodbye, which is a little after the answer.
    private async Task FreeAsync(SshCommand command, SshExchange exchange, TimeSpan grace)
    {
        if (grace > TimeSpan.Zero) await Task.WhenAny(exchange.Ended, Task.Delay(grace, time));
        if (!exchange.Ended.IsCompleted) Interlocked.Increment(ref _abandoned);
        if (IsWornOut) Retire();

        // A word on a channel after our goodbye, and sshd hangs up on all channels.
        await exchange.Sent.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            // Waits for the other side, for a second at most.
            await Task.Run(command.Dispose);
        }
        catch (Exception error) when (error is SshException or ObjectDisposedException or IOException)
        {
            // The connection is gone, and the channel with it.
        }
        finally
        {
            _channels.Release();
            Leave();
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            _users--;
            _usedAt = time.GetTimestamp();
            CloseIfDone();
        }
    }

    private void CloseIfDone()
    {
        if (!_isRetired || _users > 0 || _isClosed) return;
        _isClosed = true;
        _ = way.DisposeAsync().AsTask();
    }
}
