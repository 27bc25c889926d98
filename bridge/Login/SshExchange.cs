using System.Net.Sockets;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Trestle.Bridge.Login;

/// <summary>One script on one channel: sends it and collects what comes back until both closing marks are there.</summary>
internal sealed class SshExchange(SshCommand command, ScriptFrame frame, SshOptions options, TimeProvider time)
{
    // The library's streams can be looked into without blocking, but not awaited. The end of the channel is awaited instead;
    // this is for scripts that leave a process behind which keeps the channel open, and to stop an endless answer.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly FramedAnswer _output = new(frame);
    private readonly FramedAnswer _error = new(frame);
    private readonly byte[] _buffer = new byte[64 << 10];

    /// <summary>Completed once the other side has closed the channel; never, when it was not opened.</summary>
    public Task Ended { get; private set; } = new TaskCompletionSource().Task;

    /// <summary>Completed once this side has said all that it has to say, or can't any more.</summary>
    public Task Sent { get; private set; } = Task.CompletedTask;

    public async Task<CommandOutput> RunAsync(CancellationToken ct)
    {
        var ended = EndAsync(await StartAsync(ct));
        Ended = ended;
        while (true)
        {
            // Seen before the streams are emptied, or the last bytes could be missed.
            var isEnd = ended.IsCompleted;
            Take(command.OutputStream, _output);
            Take(command.ExtendedOutputStream, _error);
            if (_output.ExitCode is { } code && _error.IsComplete) return new CommandOutput(code, _output.Content, _error.Content);
            if (isEnd) throw new ContactLostException(CutOff(await ended), await ended);
            await Task.WhenAny(ended, Task.Delay(Look, time, ct));
            ct.ThrowIfCancellationRequested();
        }
    }

    // Opening a channel and filling its window block.
    private async Task<Task> StartAsync(CancellationToken ct)
    {
        var started = Task.Run(() =>
        {
            // Without the token: the library would answer it by a signal to the script.
            var running = command.ExecuteAsync(CancellationToken.None);
            Send(running);
            return Task.FromResult(running);
        }, CancellationToken.None);
        Sent = started;
        return await started.WaitAsync(ct);
    }

    private void Send(Task running)
    {
        try
        {
            using var input = command.CreateInputStream();
            input.Write(frame.Input.Span);
        }
        catch (Exception) when (running.IsCompleted)
        {
            // The other side hung up in the middle; how it ended is in the task.
        }
    }

    private static async Task<Exception?> EndAsync(Task running)
    {
        try
        {
            await running;
            return null;
        }
        catch (Exception error) when (error is SshException or ObjectDisposedException or IOException or SocketException)
        {
            return error;
        }
    }

    private void Take(Stream from, FramedAnswer to)
    {
        while (from.CanRead && from.Length > 0 && from.Read(_buffer) is var count and > 0)
        {
            to.Append(_buffer.AsSpan(0, count));
            if (to.Length > options.LongestAnswer) throw new ContactLostException($"the login node answered with more than {options.LongestAnswer >> 20} MiB");
        }
    }

    private string CutOff(Exception? error)
    {
        if (error is not null) return "the connection to the login node was lost before a script's answer was complete";
        var words = ShellWords.Of(_error.Noise.Span) ?? ShellWords.Of(_output.Noise.Span);
        return words is null
            ? "the login node ended a script's channel before the answer was complete"
            : $"the login node ended a script's channel without an answer and said: {words}";
    }
}
