using System.ComponentModel;
using System.Diagnostics;

namespace Trestle.Bridge.Login;

/// <summary>The login node is this machine: scripts run as the user that the bridge runs as.</summary>
public sealed class LocalLoginNode(SshOptions options, TimeProvider time) : ILoginNode
{
    /// <inheritdoc/>
    public async Task<CommandOutput> RunAsync(string script, CancellationToken ct)
    {
        var frame = ScriptFrame.Around(script);
        using var late = new CancellationTokenSource(options.CommandTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        using var shell = Start();
        try
        {
            var (output, error) = (new FramedAnswer(frame), new FramedAnswer(frame));
            Task[] parts =
            [
                SendAsync(shell.StandardInput.BaseStream, frame, either.Token),
                CollectAsync(shell.StandardOutput.BaseStream, output, either.Token),
                CollectAsync(shell.StandardError.BaseStream, error, either.Token),
            ];
            // The first failure ends it; the others might wait for a shell that never ends.
            await foreach (var part in Task.WhenEach(parts)) await part;
            return output.ExitCode is { } code && error.IsComplete
                ? new CommandOutput(code, output.Content, error.Content)
                : throw new ContactLostException("a script's shell ended before its answer was complete");
        }
        catch (OperationCanceledException error) when (!ct.IsCancellationRequested)
        {
            throw new ContactLostException($"a script gave no complete answer within {options.CommandTimeout.TotalSeconds:0} s", error);
        }
        finally
        {
            // As sshd does it: who goes on writing finds nobody.
            shell.StandardOutput.Dispose();
            shell.StandardError.Dispose();
        }
    }

    private static Process Start()
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw new ContactLostException($"/bin/sh can't be started here ({error.NativeErrorCode})", error);
        }
    }

    private static async Task SendAsync(Stream input, ScriptFrame frame, CancellationToken ct)
    {
        try
        {
            await using (input) await input.WriteAsync(frame.Input, ct);
        }
        catch (IOException)
        {
            // The shell ended early; its answer lacks the closing mark.
        }
    }

    // Not until the end of the stream: a process that the script left behind may hold it open.
    private async Task CollectAsync(Stream from, FramedAnswer to, CancellationToken ct)
    {
        var buffer = new byte[64 << 10];
        while (!to.IsComplete && await from.ReadAsync(buffer, ct) is var count and > 0)
        {
            to.Append(buffer.AsSpan(0, count));
            if (to.Length > options.LongestAnswer) throw new ContactLostException($"a script wrote more than {options.LongestAnswer >> 20} MiB");
        }
    }
}
