using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Trestle.Integration.Tests.Operators;

/// <summary>Stands between a client and the API server: passes everything on, or answers in its place as an overloaded server does.</summary>
internal sealed class FaultyProxy : IAsyncDisposable
{
    private static readonly HashSet<string> HopByHop = new(StringComparer.OrdinalIgnoreCase) { "Host", "Transfer-Encoding", "Connection", "Content-Length", "Content-Type", "Authorization" };
    private readonly WebApplication _app;
    private readonly HttpClient _server;
    private long _requests;

    private FaultyProxy(WebApplication app, HttpClient server) => (_app, _server) = (app, server);

    /// <summary>What to answer instead, by request; null passes it on. Zero cuts the connection; -1 keeps silent until the client gives up.</summary>
    public Func<HttpRequest, int?> Fault { get; set; } = _ => null;

    /// <summary>Requests so far.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Where it listens.</summary>
    public string Url => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Starts it before a server that <paramref name="server"/> is signed in to.</summary>
    public static async Task<FaultyProxy> StartAsync(HttpClient server)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var proxy = new FaultyProxy(app, server);
        app.Run(proxy.AnswerAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return proxy;
    }

    /// <summary>A kubeconfig for it, written into a file.</summary>
    public string WriteKubeconfig(string path)
    {
        File.WriteAllText(path, $$$"""
            apiVersion: v1
            kind: Config
            current-context: proxy
            contexts: [{name: proxy, context: {cluster: proxy, user: nobody}}]
            clusters: [{name: proxy, cluster: {server: "{{{Url}}}"}}]
            users: [{name: nobody, user: {token: none}}]
            """);
        return path;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _requests);
        switch (Fault(context.Request))
        {
            case null:
                await PassOnAsync(context);
                break;
            case 0:
                context.Abort();
                break;
            case -1:
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                break;
            case { } status:
                context.Response.StatusCode = status;
                if (status == StatusCodes.Status429TooManyRequests) context.Response.Headers.RetryAfter = "1";
                break;
        }
    }

    private async Task PassOnAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        using var passed = new HttpRequestMessage(new HttpMethod(request.Method), request.Path.Value!.TrimStart('/') + request.QueryString);
        if (request.ContentType is { } type)
        {
            passed.Content = new StreamContent(request.Body);
            passed.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        foreach (var header in request.Headers.Where(header => !HopByHop.Contains(header.Key))) passed.Headers.TryAddWithoutValidation(header.Key, header.Value.ToArray());
        using var answer = await _server.SendAsync(passed, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        response.StatusCode = (int)answer.StatusCode;
        response.ContentType = answer.Content.Headers.ContentType?.ToString();
        await response.StartAsync(context.RequestAborted);
        await using var body = await answer.Content.ReadAsStreamAsync(context.RequestAborted);
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            await response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
            await response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
