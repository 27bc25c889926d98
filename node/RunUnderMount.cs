using System.Diagnostics;
using System.Runtime.InteropServices;
using Trestle.CacheMount.Control;
using Trestle.CacheMount.Native;

namespace Trestle.Node;

/// <summary>Runs the user's command and ends when what it wrote is in the store.</summary>
internal static class RunUnderMount
{
    /// <summary>The command did well, and what it wrote is not in the store.</summary>
    public const int NotDurable = 74;

    private static readonly PosixSignal[] Forwarded = [PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP, PosixSignal.SIGQUIT, (PosixSignal)10, (PosixSignal)12];

    /// <summary>The exit code of the command; <see cref="NotDurable"/> when that is 0 and the flush failed.</summary>
    public static async Task<int> RunAsync(string[] arguments, TextWriter errors, CancellationToken stop)
    {
        var end = Array.IndexOf(arguments, "--");
        if (end < 0 || end == arguments.Length - 1) throw new CacheMountArgumentException("run needs -- and a command");
        var given = CacheMountOptions.Of(arguments[..end], "--socket", "--timeout");
        using var mount = new ControlClient(given.Absolute("--socket"));
        var code = await CommandAsync(arguments[end + 1], arguments[(end + 2)..]);
        string? failure;
        try
        {
            var (status, text) = await mount.CallAsync(HttpMethod.Post, $"v1/flush?timeout={given.Number("--timeout", 1e6):0.###}", stop);
            failure = status == 200 ? null : text;
        }
        catch (HttpRequestException error)
        {
            failure = $"no mount answers at {given["--socket"]} ({error.Message})";
        }

        if (failure is null) return code;
        await errors.WriteLineAsync($"trestle-node: what the command wrote is not durable: {failure}");
        return code == 0 ? NotDurable : code;
    }

    private static async Task<int> CommandAsync(string program, string[] arguments)
    {
        try
        {
            using var command = Process.Start(program, arguments);
            var signals = Forwarded.Select(signal => PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                if (!command.HasExited) Libc.Kill(command.Id, Number(context.Signal));
            })).ToList();
            await command.WaitForExitAsync();
            signals.ForEach(signal => signal.Dispose());
            return command.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new IOException($"{program} can't be started: {error.Message}", error);
        }
    }

    private static int Number(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGTERM => 15,
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGHUP => 1,
        PosixSignal.SIGQUIT => 3,
        _ => (int)signal,
    };
}
