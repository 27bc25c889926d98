using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Trestle.Runtime.Tests.Client;

/// <summary>A request as the server saw it.</summary>
internal sealed record Seen(string Method, string Path, IQueryCollection Query, string Type, string Authorization, string Body);

/// <summary>An HTTP server on a free port that answers as the test says, and a connection to it.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _kubeconfig = Path.GetTempFileName();

    private ScriptedServer(WebApplication app, string basePath, IReadOnlyList<JsonSerializerContext> contexts)
    {
        _app = app;
        File.WriteAllText(_kubeconfig, $$"""
            apiVersion: v1
            kind: Config
            current-context: test
            contexts:
            - name: test
              context: { cluster: test, user: test }
            clusters:
            - name: test
              cluster: { server: "{{app.Urls.Single()}}{{basePath}}" }
            users:
            - name: test
              user: { token: sesame }
            """);
        Api = new KubeClientOptions { Kubeconfig = _kubeconfig }.Open(Time, contexts);
    }

    /// <summary>Clock of the retries.</summary>
    public FakeTimeProvider Time { get; } = new();

    public KubeApi Api { get; }

    public Func<HttpContext, Task> Answer { get; set; } = context => context.JsonAsync(404, """{"reason":"NotFound","message":"not found"}""");

    public ConcurrentQueue<Seen> Requests { get; } = new();

    public static async Task<ScriptedServer> StartAsync(string basePath = "", params IReadOnlyList<JsonSerializerContext> contexts)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        ScriptedServer? server = null;
        app.Run(context => server!.HandleAsync(context));
        await app.StartAsync();
        return server = new ScriptedServer(app, basePath, contexts);
    }

    /// <summary>Ends the server without waiting for open requests.</summary>
    public Task StopAsync() => _app.StopAsync(new CancellationToken(canceled: true));

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        File.Delete(_kubeconfig);
        await StopAsync();
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        var request = context.Request;
        Requests.Enqueue(new Seen(request.Method, request.Path, request.Query, request.ContentType ?? "", request.Headers.Authorization.ToString(), await body.ReadToEndAsync()));
        await Answer(context);
    }
}

internal static class Answers
{
    public static async Task JsonAsync(this HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(json);
    }

    /// <summary>Sends pieces of a body, each in a chunk of its own.</summary>
    public static async Task ChunksAsync(this HttpContext context, params IEnumerable<string> chunks)
    {
        context.Response.ContentType = "application/json";
        foreach (var chunk in chunks)
        {
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(chunk));
            await context.Response.Body.FlushAsync();
        }
    }
}
