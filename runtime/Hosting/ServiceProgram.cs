using System.Runtime.InteropServices;

namespace Trestle.Runtime;

/// <summary>A process that works until it is told to end: its signals, exit codes and last words.</summary>
/// <param name="name">E.g. operator.</param>
/// <param name="help">Printed for --help.</param>
/// <param name="work">Gets the arguments and the environment, and works until it is cancelled.</param>
public sealed class ServiceProgram(string name, string help, Func<IReadOnlyList<string>, Func<string, string?>, CancellationToken, Task> work)
{
    /// <summary>Runs as this process, until SIGINT or SIGTERM; the second one ends it at once.</summary>
    /// <returns>As <see cref="RunAsync"/>.</returns>
    public async Task<int> MainAsync(string[] arguments)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return await RunAsync(arguments, Environment.GetEnvironmentVariable, Console.Out, Console.Error, stop.Token);

        // The first signal gives leases back; after the second one they run out by themselves.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    /// <summary>Runs until cancelled.</summary>
    /// <returns>0: asked to end; 1: it can't work; 2: wrong settings.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, Func<string, string?> variable, TextWriter output, TextWriter errors, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(errors);
        if (arguments is ["--help" or "-h"])
        {
            await output.WriteAsync(help);
            return 0;
        }

        try
        {
            await work(arguments, variable, ct);
            return 0;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception error) when (error is SettingException or InvalidOperationException or IOException or k8s.Exceptions.KubeConfigException)
        {
            await errors.WriteLineAsync($"trestle {name}: {error.Message}");
            return error is SettingException ? 2 : 1;
        }
    }
}
