using System.Net;
using Microsoft.AspNetCore.Http;

namespace Trestle.WeightsGateway.Serving;

/// <summary>Carries a request to a server and its answer back, bytes as they come.</summary>
public sealed class Forwarder : IDisposable
{
    private const int BufferSize = 16 * 1024;

    // Of one connection, not of the message; and what we set ourselves.
    private static readonly HashSet<string> NotForwarded = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Host", "Content-Length",
    };

    private readonly HttpMessageInvoker _http = new(Handler());

    /// <summary>As all our clients of engines are set up.</summary>
    public static SocketsHttpHandler Handler() => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
    };

    /// <summary>Sends; complete when the answer's headers are there.</summary>
    /// <param name="context">The request.</param>
    /// <param name="server">Where to.</param>
    /// <param name="body">Its body: sent again on another try.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="HttpRequestException">The server can't be reached or broke off.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpContext context, Uri server, HttpContent? body, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(context);
        var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(server, context.Request.Path.ToUriComponent() + context.Request.QueryString.ToUriComponent()))
        {
            Content = body,
            Version = HttpVersion.Version11,
        };
        foreach (var (name, values) in context.Request.Headers)
        {
            if (NotForwarded.Contains(name)) continue;
            if (!request.Headers.TryAddWithoutValidation(name, values.ToArray())) request.Content?.Headers.TryAddWithoutValidation(name, values.ToArray());
        }

        return await _http.SendAsync(request, ct);
    }

    /// <summary>Gives the answer back as it comes.</summary>
    /// <exception cref="HttpRequestException">The server broke off.</exception>
    public static async Task ReturnAsync(HttpContext context, HttpResponseMessage answer, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(answer);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (!NotForwarded.Contains(name)) context.Response.Headers[name] = values.ToArray();
        }

        if (answer.Content.Headers.ContentLength is { } length) context.Response.ContentLength = length;
        await using var from = await answer.Content.ReadAsStreamAsync(ct);
        var buffer = new byte[BufferSize];
        for (var read = await from.ReadAsync(buffer, ct); read > 0; read = await from.ReadAsync(buffer, ct))
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), ct);
            await context.Response.Body.FlushAsync(ct);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
