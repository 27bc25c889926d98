using System.Net.Sockets;

namespace Trestle.CacheMount.Control;

/// <summary>Asks a mount over its socket.</summary>
internal sealed class ControlClient : IDisposable
{
    private readonly HttpClient _http;

    public ControlClient(string socket)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, ct) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), ct);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            },
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://mount/"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Sends a call.</summary>
    /// <exception cref="HttpRequestException">No mount answers there.</exception>
    public async Task<(int Status, string Text)> CallAsync(HttpMethod method, string call, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, call);
        using var answer = await _http.SendAsync(request, ct);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(ct));
    }

    public void Dispose() => _http.Dispose();
}
