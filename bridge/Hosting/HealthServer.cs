using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Trestle.Bridge.Hosting;

/// <summary>
/// GET /healthz: 200 while the process lives. GET /readyz: 200 when the bridge does its part, else 503. GET /metrics: for Prometheus. All
/// without a login; none names an object.
/// </summary>
internal sealed class HealthServer(BridgeHealth health) : IAsyncDisposable
{
    private WebApplication? _app;

    /// <summary>Listens; gives the address with the port it got.</summary>
    /// <exception cref="IOException">The port is in use.</exception>
    public async Task<string> StartAsync(string listen, CancellationToken ct)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.AddServerHeader = false).UseUrls(listen);
        _app = builder.Build();
        _app.Run(AnswerAsync);
        await _app.StartAsync(ct);
        return _app.Urls.First();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
    }

    private Task AnswerAsync(HttpContext context) => (HttpMethods.IsGet(context.Request.Method), context.Request.Path.Value) switch
    {
        (false, _) => SayAsync(context.Response, StatusCodes.Status405MethodNotAllowed, "only GET"),
        (_, "/healthz") => SayAsync(context.Response, StatusCodes.Status200OK, health.Text),
        (_, "/readyz") => SayAsync(context.Response, health.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, health.Text),
        (_, "/metrics") => MetricsAsync(context),
        _ => SayAsync(context.Response, StatusCodes.Status404NotFound, "there are /healthz, /readyz and /metrics"),
    };

    private static async Task MetricsAsync(HttpContext context)
    {
        // Whole before the first byte is sent: half a page is no page.
        using var page = new MemoryStream();
        await BridgeMeter.Registry.CollectAndExportAsTextAsync(page, context.RequestAborted);
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
