namespace Trestle.Operator.Launch;

/// <summary>
/// Puts the rendezvous server where ranks look for it: where it was before, when any port may be taken, because pods of
/// running attempts know that address.
/// </summary>
/// <param name="make">Makes a server that does not listen yet.</param>
internal sealed class RendezvousListener(Func<RendezvousServer> make) : IAsyncDisposable
{
    private RendezvousServer? _server;

    /// <summary>Listens; gives the address.</summary>
    /// <param name="listen">Where; with port 0 any port is taken.</param>
    /// <param name="last">Where it was the last time; null when nowhere.</param>
    /// <param name="ct">Ends the start.</param>
    public async Task<string> StartAsync(string listen, string? last, CancellationToken ct)
    {
        if (last is not null && listen.EndsWith(":0", StringComparison.Ordinal) && last.StartsWith(listen[..^1], StringComparison.Ordinal))
        {
            try
            {
                return await StartAsync(last, ct);
            }
            catch (IOException)
            {
                // Somebody else has the port now.
            }
        }

        return await StartAsync(listen, ct);
    }

    /// <summary>Some pod changed.</summary>
    public void PodChanged() => _server?.PodChanged();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<string> StartAsync(string listen, CancellationToken ct)
    {
        var server = make();
        try
        {
            var bound = await server.StartAsync(listen, ct);
            _server = server;
            return bound;
        }
        finally
        {
            if (_server != server) await server.DisposeAsync();
        }
    }
}
