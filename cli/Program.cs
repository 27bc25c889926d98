using System.Runtime.InteropServices;
using Trestle.Cli;

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
return await CliProgram.RunAsync(args, CliHost.OfProcess(), stop.Token);

// The first signal asks, the second one doesn't wait for the answer.
void Stop(PosixSignalContext signal)
{
    signal.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
}
