using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Trestle.Runtime;

/// <summary>
/// GET /healthz: 200 while the process lives, also while the API server is away, as a restart would not bring it back.
/// GET /readyz: 200 when it does its part, else 503. Both say what it is doing. GET /metrics: for Prometheus, where
/// <paramref name="metrics"/> is given. All without a login.
/// </summary>
/// <param name="health">What it says.</param>
/// <param name="metrics">Writes the text that Prometheus reads.</param>
public sealed class HealthServer(IHealth health, Func<Stream, CancellationToken, Task>? metrics = null) : IAsyncDisposable
{
    private WebApplication? _app;

    /// <summary>Listens; gives the address with the port it got.</summary>
    /// <param name="listen">E.g. http://*:8081.</param>
    /// <param name="ct">Ends the start.</param>
    /// <exception cref="IOException">The port is in use.</exception>
    public async Task<string> StartAsync(string listen, CancellationToken ct)
    {
        _app = await HttpEndpoint.StartAsync(listen, AnswerAsync, ct);
        return _app.Urls.First();
    }

    /// <summary>Stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
    }

    private Task AnswerAsync(HttpContext context) => context.Request.Path.Value switch
    {
        _ when !HttpMethods.IsGet(context.Request.Method) => SayAsync(context.Response, StatusCodes.Status405MethodNotAllowed, "only GET"),
        "/healthz" => SayAsync(context.Response, StatusCodes.Status200OK, health.Text),
        "/readyz" => SayAsync(context.Response, health.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, health.Text),
        "/metrics" when metrics is not null => MetricsAsync(context),
        _ => SayAsync(context.Response, StatusCodes.Status404NotFound, $"there are /healthz{(metrics is null ? "" : ", /metrics")} and /readyz"),
    };

    private async Task MetricsAsync(HttpContext context)
    {
        // Whole before the first byte is sent: half a page is no page.
        using var page = new MemoryStream();
        await metrics!(page, context.RequestAborted);
        page.Position = 0;
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await page.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static Task SayAsync(HttpResponse response, int status, string text)
    {
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        return response.WriteAsync(text + "\n");
    }
}
