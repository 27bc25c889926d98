using System.Runtime.InteropServices;
using Trestle.Operator.Hosting;

namespace Trestle.Operator;

/// <summary>The entry point. Not top-level statements: other methods of this assembly are called Main as well.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return await OperatorProgram.RunAsync(arguments, Environment.GetEnvironmentVariable, Console.Out, Console.Error, stop.Token);

        // The first signal drains and gives the lease back; the second one ends at once, and the lease runs out by itself.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }
}
