namespace Trestle.WeightsGateway.Serving;

/// <summary>A request's body in memory. Disposing gives its room back.</summary>
public sealed class RequestBody : IDisposable
{
    private RequestBodies? _room;
    private long _taken;

    internal RequestBody(RequestBodies room) => _room = room;

    /// <summary>What came.</summary>
    public ReadOnlyMemory<byte> Bytes { get; internal set; }

    /// <summary>To be sent; may be asked for again on another try.</summary>
    public HttpContent Content() => new ReadOnlyMemoryContent(Bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        Interlocked.Exchange(ref _room, null)?.Give(_taken);
        Bytes = default;
    }

    internal void Grow(long bytes)
    {
        _room!.Take(bytes);
        _taken += bytes;
    }
}
