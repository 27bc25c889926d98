using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Control;

/// <summary>The HTTP interface of a mount, on a unix socket that only its user can open.</summary>
internal sealed class ControlServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ControlServer(WebApplication app) => _app = app;

    /// <summary>Starts to answer.</summary>
    /// <exception cref="IOException">The socket can't be made.</exception>
    public static async Task<ControlServer> StartAsync(string socket, CachedMount mount, IObjectStore store, TimeProvider time)
    {
        File.Delete(socket); // of a process that was killed; the cache is ours
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket));
        var app = builder.Build();
        app.Run(context => AnswerAsync(context, mount, store, time));
        await app.StartAsync();
        File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return new ControlServer(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static Task AnswerAsync(HttpContext context, CachedMount mount, IObjectStore store, TimeProvider time) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", "/healthz") => TextAsync(context, 200, "ok"),
        ("GET", "/metrics") => TextAsync(context, 200, MetricsText.Of(MountStatus.Of(mount, store))),
        ("GET", "/v1/status") => StatusAsync(context, 200, MountStatus.Of(mount, store)),
        ("GET", "/v1/space") => SpaceAsync(context, mount, store),
        ("GET", "/v1/checkpoints") => CheckpointsAsync(context, MountStatus.Of(mount, store)),
        ("POST", "/v1/checkpoints") => CommitAsync(context, mount),
        ("POST", "/v1/flush") => FlushAsync(context, mount, store, time),
        ("POST", "/v1/wait-space") => WaitForSpaceAsync(context, mount, time),
        ("POST", "/v1/hydrate") => HydrateAsync(context, mount),
        ("POST", "/v1/pin") => PinAsync(context, mount),
        ("POST", "/v1/evict") => EvictAsync(context, mount),
        _ => TextAsync(context, 404, "there is no such call"),
    };

    private static async Task FlushAsync(HttpContext context, CachedMount mount, IObjectStore store, TimeProvider time)
    {
        using var limit = new CancellationTokenSource(Seconds(context), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            await mount.FlushAsync(either.Token);
            var refused = MountStatus.Of(mount, store) is { Refused.Count: > 0 } status ? status.NotDurable() : null;
            await TextAsync(context, refused is null ? 200 : 409, refused ?? "everything that was closed is in the store");
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            await TextAsync(context, 504, MountStatus.Of(mount, store).NotDurable() ?? "the flush was not over in time");
        }
    }

    private static async Task CommitAsync(HttpContext context, CachedMount mount)
    {
        if (PathOf(context) is not { } path) await TextAsync(context, 400, "path must be below the mount");
        else if (await mount.Front.CommitAsync(path)) await TextAsync(context, 202, $"{path} is durable when its manifest is in the store");
        else await TextAsync(context, 404, $"there is no {path} in the mount");
    }

    private static Task PinAsync(HttpContext context, CachedMount mount)
    {
        if (PathOf(context) is not { } path) return TextAsync(context, 400, "path must be below the mount");
        mount.Pin(path);
        return TextAsync(context, 200, $"{path} is given up last");
    }

    private static Task EvictAsync(HttpContext context, CachedMount mount) =>
        PathOf(context) is { } path ? TextAsync(context, 200, $"{mount.Evict(path)} bytes were given up") : TextAsync(context, 400, "path must be below the mount");

    private static Task SpaceAsync(HttpContext context, CachedMount mount, IObjectStore store)
    {
        mount.LookAtSpace();
        return StatusAsync(context, mount.Space.IsFull ? 507 : 200, MountStatus.Of(mount, store));
    }

    private static async Task WaitForSpaceAsync(HttpContext context, CachedMount mount, TimeProvider time)
    {
        using var limit = new CancellationTokenSource(Seconds(context), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            await mount.WaitForSpaceAsync(either.Token);
            await TextAsync(context, 200, "there is room");
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            await TextAsync(context, 507, $"the cache is still full: {mount.Space.Used} of {mount.Space.Size} bytes, of which {mount.Space.Dirty} are not in the store");
        }
    }

    private static async Task HydrateAsync(HttpContext context, CachedMount mount)
    {
        if (PathOf(context) is not { } path) await TextAsync(context, 400, "path must be below the mount");
        else if (mount.Fuse is not { } fuse) await TextAsync(context, 409, "the Directory front shows only what is in the cache; use follow or copy, or --front Fuse");
        else
        {
            try
            {
                await TextAsync(context, 200, $"{await fuse.HydrateAsync(path, context.RequestAborted)} files were brought");
            }
            catch (StoreException error)
            {
                await TextAsync(context, 502, error.Message);
            }
        }
    }

    private static TimeSpan Seconds(HttpContext context) => TimeSpan.FromSeconds(double.TryParse(context.Request.Query["timeout"], CultureInfo.InvariantCulture, out var given) && given is > 0 and < 1e6 ? given : 1e6);

    private static Task CheckpointsAsync(HttpContext context, MountStatus status) =>
        TextAsync(context, 200, string.Concat(status.DurableCheckpoints.Select(name => $"durable {name}\n").Concat(status.PendingCheckpoints.Select(name => $"pending {name}\n"))));

    private static string? PathOf(HttpContext context) =>
        context.Request.Query["path"].ToString().Trim('/') is { Length: > 0 } path && path.Split('/').All(part => part is not ("" or "." or "..")) ? path : null;

    private static Task StatusAsync(HttpContext context, int code, MountStatus status)
    {
        context.Response.ContentType = "application/json";
        context.Response.StatusCode = code;
        return context.Response.WriteAsync(JsonSerializer.Serialize(status, StatusJson.Default.MountStatus) + "\n");
    }

    private static Task TextAsync(HttpContext context, int code, string text)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.StatusCode = code;
        return context.Response.WriteAsync(text);
    }
}
