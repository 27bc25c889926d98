using System.Runtime.InteropServices;
using Trestle.Node;

using var stop = new CancellationTokenSource();
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
{
    if (args is not (["heartbeat", ..] or ["cachemount", not "run", ..])) return;
    signal.Cancel = true; // a sidecar that is told to end has ended well
    stop.Cancel();
});
return args switch
{
    ["rendezvous", .. var rest] => await RendezvousCommand.RunAsync(rest, TimeProvider.System, Console.Error, stop.Token),
    ["heartbeat", .. var rest] => await HeartbeatCommand.RunAsync(rest, TimeProvider.System, Console.Error, stop.Token),
    ["cachemount", .. var rest] => await CacheMountCommand.RunAsync(rest, TimeProvider.System, Console.Out, Console.Error, stop.Token),
    _ => await UsageAsync(),
};

static async Task<int> UsageAsync()
{
    await Console.Error.WriteLineAsync($"usage: {RendezvousCommand.Usage}\n       {HeartbeatCommand.Usage}\n       {CacheMountCommand.Usage}");
    return 2;
}
