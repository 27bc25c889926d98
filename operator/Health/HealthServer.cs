using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Trestle.Operator.Health;

/// <summary>
/// GET /healthz: 200 while the process lives, also while the API server is away, as a restart would not bring it back.
/// GET /readyz: 200 when the operator does its part, else 503. Both say what it is doing.
/// </summary>
internal sealed class HealthServer(OperatorHealth health) : IAsyncDisposable
{
    private WebApplication? _app;

    /// <summary>Listens; gives the address with the port it got.</summary>
    /// <param name="listen">E.g. http://*:8081.</param>
    /// <param name="ct">Ends the start.</param>
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

    /// <summary>Stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
    }

    private Task AnswerAsync(HttpContext context)
    {
        context.Response.StatusCode = context.Request.Path.Value switch
        {
            _ when !HttpMethods.IsGet(context.Request.Method) => StatusCodes.Status405MethodNotAllowed,
            "/healthz" => StatusCodes.Status200OK,
            "/readyz" => health.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status404NotFound,
        };
        if (context.Response.StatusCode is StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed) return Task.CompletedTask;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(health.Text + "\n");
    }
}
