using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Trestle.Runtime;

/// <summary>A plain HTTP server with one handler, for the small servers of our programs.</summary>
public static class HttpEndpoint
{
    /// <summary>Listens; the address with the port it got is the first of its Urls. Disposing stops it.</summary>
    /// <param name="listen">E.g. http://*:8081; port 0 takes a free one.</param>
    /// <param name="answer">Answers every request.</param>
    /// <param name="ct">Ends the start.</param>
    /// <exception cref="IOException">The port is in use.</exception>
    public static async Task<WebApplication> StartAsync(string listen, RequestDelegate answer, CancellationToken ct)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.AddServerHeader = false).UseUrls(listen);
        var app = builder.Build();
        app.Run(answer);
        try
        {
            await app.StartAsync(ct);
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }
}
