using System.Runtime.InteropServices;
using Trestle.Bridge.Hosting;

namespace Trestle.Bridge;

/// <summary>The entry point.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return await BridgeProgram.RunAsync(arguments, Environment.GetEnvironmentVariable, Console.Out, Console.Error, stop.Token);

        // The first signal gives the leases back; the second one ends at once, and they run out by themselves.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }
}
