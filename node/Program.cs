using Trestle.Node;

return args is ["rendezvous", .. var rest]
    ? await RendezvousCommand.RunAsync(rest, TimeProvider.System, Console.Error, CancellationToken.None)
    : await UsageAsync();

static async Task<int> UsageAsync()
{
    await Console.Error.WriteLineAsync("usage: " + RendezvousCommand.Usage);
    return 2;
}
