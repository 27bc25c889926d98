using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Trestle.Runtime;

namespace Trestle.Operator.Telemetry;

/// <summary>Answers GET /metrics for Prometheus, to everybody who reaches the address.</summary>
internal sealed class MetricsServer(OperatorMetrics metrics) : IAsyncDisposable
{
    private const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private WebApplication? _app;

    /// <summary>Listens; gives the address with the port it got.</summary>
    /// <exception cref="InvalidOperationException">The address can't be listened on.</exception>
    public async Task<string> StartAsync(string listen, CancellationToken ct)
    {
        if (!Uri.TryCreate(listen, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttp)
            throw new InvalidOperationException($"MetricsListen must be an address such as http://127.0.0.1:9464; got '{listen}'");
        try
        {
            _app = await HttpEndpoint.StartAsync(listen, AnswerAsync, ct);
        }
        catch (IOException error)
        {
            throw new InvalidOperationException($"MetricsListen {listen} can't be listened on ({error.Message.TrimEnd('.')}); choose a free port", error);
        }

        return _app.Urls.First();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (!HttpMethods.IsGet(request.Method) || request.Path != "/metrics")
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        // Whole before the first byte is sent: half a page is no page.
        using var page = new MemoryStream();
        await metrics.WriteAsync(page, context.RequestAborted);
        page.Position = 0;
        response.ContentType = ContentType;
        response.ContentLength = page.Length;
        await page.CopyToAsync(response.Body, context.RequestAborted);
    }
}
