using Amazon.Runtime;
using Microsoft.Extensions.Logging;
using Trestle.Api.Launch;
using Trestle.CacheMount;
using Trestle.CacheMount.Checkpoints;
using Trestle.CacheMount.Control;
using Trestle.CacheMount.Fetching;
using Trestle.CacheMount.Stores;

namespace Trestle.Node;

/// <summary>The cache mount: serves one, asks one, follows what others write.</summary>
internal static class CacheMountCommand
{
    public const string Usage = "trestle-node cachemount serve " + CacheMountOptions.Serve + """

               trestle-node cachemount run --socket FILE [--timeout SECONDS] -- COMMAND…
               trestle-node cachemount flush --socket FILE [--timeout SECONDS]
               trestle-node cachemount status|checkpoints|space --socket FILE
               trestle-node cachemount commit|pin|evict PATH --socket FILE
               trestle-node cachemount wait-space --socket FILE [--timeout SECONDS]
               trestle-node cachemount hydrate PATH --socket FILE
               trestle-node cachemount copy --into DIRECTORY [--parallel NUMBER] --store …
               trestle-node cachemount follow --into DIRECTORY
        """ + " " + CacheMountOptions.Store + " [--every SECONDS] [--once true]\n       trestle-node cachemount look " + CacheMountOptions.Store + " --out FILE";

    private const long MostObjects = 200_000;
    private static readonly TimeSpan Follow = TimeSpan.FromSeconds(3);

    /// <summary>0: done; 1: not done, as was said; 2: wrong arguments; else the exit code of the command that was run.</summary>
    public static async Task<int> RunAsync(string[] arguments, TimeProvider time, TextWriter output, TextWriter errors, CancellationToken stop)
    {
        try
        {
            return arguments switch
            {
                ["serve", .. var rest] => await ServeAsync(CacheMountOptions.ForServe(rest), time, stop),
                ["run", .. var rest] => await RunUnderMount.RunAsync(rest, errors, stop),
                ["flush", .. var rest] => await AskAsync(HttpMethod.Post, CacheMountOptions.Of([.. rest.Where(word => word != "--wait")], "--socket", "--timeout"), given => $"v1/flush?timeout={given.Number("--timeout", 1e6):0.###}", output, errors, stop),
                ["status", .. var rest] => await AskAsync(HttpMethod.Get, CacheMountOptions.Of(rest, "--socket"), _ => "v1/status", output, errors, stop),
                ["checkpoints", .. var rest] => await AskAsync(HttpMethod.Get, CacheMountOptions.Of(rest, "--socket"), _ => "v1/checkpoints", output, errors, stop),
                ["space", .. var rest] => await AskAsync(HttpMethod.Get, CacheMountOptions.Of(rest, "--socket"), _ => "v1/space", output, errors, stop),
                ["commit", var path, .. var rest] => await AskAsync(HttpMethod.Post, CacheMountOptions.Of(rest, "--socket"), _ => $"v1/checkpoints?path={Uri.EscapeDataString(path)}", output, errors, stop),
                ["pin" or "evict" or "hydrate", var path, .. var rest] => await AskAsync(HttpMethod.Post, CacheMountOptions.Of(rest, "--socket"), _ => $"v1/{arguments[0]}?path={Uri.EscapeDataString(path)}", output, errors, stop),
                ["wait-space", .. var rest] => await AskAsync(HttpMethod.Post, CacheMountOptions.Of(rest, "--socket", "--timeout"), given => $"v1/wait-space?timeout={given.Number("--timeout", 1e6):0.###}", output, errors, stop),
                ["copy", .. var rest] => await CopyAsync(CacheMountOptions.ForStore(rest, "--into", "--parallel"), time, errors, stop),
                ["look", .. var rest] => await LookAsync(CacheMountOptions.ForStore(rest, "--out"), time, stop),
                ["follow", .. var rest] => await FollowAsync(CacheMountOptions.ForStore(rest, "--into", "--every", "--once"), time, stop),
                _ => throw new CacheMountArgumentException("no such command"),
            };
        }
        catch (CacheMountArgumentException wrong)
        {
            await errors.WriteLineAsync($"trestle-node: {wrong.Message}\nusage: {Usage}");
            return 2;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or AmazonClientException or HttpRequestException)
        {
            await errors.WriteLineAsync($"trestle-node: {error.Message}");
            return 1;
        }
    }

    // Told to end, it brings everything to the store first; whoever is in more of a hurry kills it, and the next one goes on.
    private static async Task<int> ServeAsync(CacheMountOptions given, TimeProvider time, CancellationToken stop)
    {
        var settings = given.Settings();
        var store = given.OpenStore(time);
        using var logs = Logs();
        var log = logs.CreateLogger("cachemount");
        await using var mount = CachedMount.Start(settings, store, time, log);
        // A file system of ours shows what the store has, and fetches what is read.
        using var arrivals = given["--fetch"] == "true" && mount.FrontKind == FrontKind.Directory ? new Arrivals(mount, store, Path.Combine(settings.State, "incoming"), time, log) : null;
        var audience = given.Audience();
        // Where every process is sent TERM, who brings the last files to the store must not end before those who write them.
        using var end = audience?.EndRequest is null ? CancellationTokenSource.CreateLinkedTokenSource(stop) : new CancellationTokenSource();
        using var sidecar = audience is null ? null : new MountSidecar(mount, store, arrivals, audience, time, log) { EndRequested = end.Cancel };
        using var over = new CancellationTokenSource();
        var telling = sidecar?.RunAsync(over.Token) ?? Task.CompletedTask;
        var following = Task.CompletedTask;
        try
        {
            if (arrivals is not null) await arrivals.FetchFirstAsync(end.Token);
            // What the nodes of one job write is not sent round among them.
            if (arrivals is not null && settings.Nodes == 1) following = arrivals.FollowAsync(Follow, end.Token);
            await ServeAsync(given, settings, mount, store, time, log, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // Told to end before it was ready.
        }

        await mount.FlushAsync(CancellationToken.None);
        await over.CancelAsync();
        await Task.WhenAll(telling, following).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await (sidecar?.TellLastAsync() ?? Task.CompletedTask);
        return 0;
    }

    // Who asks it finds it when everything that is to be there at the start is.
    private static async Task ServeAsync(CacheMountOptions given, MountSettings settings, CachedMount mount, IObjectStore store, TimeProvider time, ILogger log, CancellationToken stop)
    {
        var socket = given["--socket"] ?? Path.Combine(settings.State, "socket");
        await using var control = await ControlServer.StartAsync(socket, mount, store, time);
        MountLog.Serving(log, settings.Files, store.Name, socket);
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // The file is read by who has no other way to hear of it: a sentence, or a report.
    private static async Task<int> LookAsync(CacheMountOptions given, TimeProvider time, CancellationToken stop)
    {
        var file = given.Absolute("--out");
        var store = given.OpenStore(time);
        try
        {
            var found = await Inspection.LookAsync(store, MostObjects, stop);
            var checkpoints = found.Checkpoints.Take(MountReport.MaxCheckpoints).Select(one => new DurableCheckpoint(one.Name, one.Bytes, one.DurableAt));
            await File.WriteAllTextAsync(file, new StorageReport { Bytes = found.Bytes, Objects = found.Objects, IsComplete = found.IsComplete, WriteError = found.WriteError, Checkpoints = [.. checkpoints] }.ToText(), stop);
            return 0;
        }
        catch (Exception error) when (error is StoreException or AmazonClientException or HttpRequestException)
        {
            await File.WriteAllTextAsync(file, error is StoreException known ? StoreAdvice.Of(known, store.Name, given["--endpoint"]) : error.Message, stop);
            return 1;
        }
    }

    private static async Task<int> AskAsync(HttpMethod method, CacheMountOptions given, Func<CacheMountOptions, string> call, TextWriter output, TextWriter errors, CancellationToken stop)
    {
        using var mount = new ControlClient(given.Absolute("--socket"));
        var (status, text) = await mount.CallAsync(method, call(given), stop);
        var isDone = status is >= 200 and < 300;
        await (isDone ? output : errors).WriteLineAsync(text.TrimEnd());
        return isDone ? 0 : 1;
    }

    private static async Task<int> FollowAsync(CacheMountOptions given, TimeProvider time, CancellationToken stop)
    {
        var into = given.Absolute("--into");
        var staging = Path.Combine(into, ".trestle-incoming");
        Directory.CreateDirectory(staging);
        using var logs = Logs();
        var follower = new Follower(given.OpenStore(time), into, staging, parallel: 16, time, logs.CreateLogger("follow"));
        if (given["--once"] == "true")
        {
            await follower.LookAsync(stop);
            return 0;
        }

        await follower.FollowAsync(TimeSpan.FromSeconds(Math.Max(0.1, given.Number("--every", 3))), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }

    private static async Task<int> CopyAsync(CacheMountOptions given, TimeProvider time, TextWriter errors, CancellationToken stop)
    {
        var into = given.Absolute("--into");
        Directory.CreateDirectory(into);
        using var copy = new PrefixCopy(given.OpenStore(time), into, (int)Math.Clamp(given.Number("--parallel", 16), 1, 64), time);
        var running = copy.RunAsync(stop);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(2), time);
        while (!stop.IsCancellationRequested && await Task.WhenAny(running, timer.WaitForNextTickAsync(stop).AsTask()) != running) await TellAsync(copy.Progress, errors);
        try
        {
            await running;
        }
        catch (Exception error) when (error is StoreException or OperationCanceledException)
        {
            await errors.WriteLineAsync($"trestle-node: not all is copied: {error.Message}; run it again to go on");
            return 1;
        }

        await TellAsync(copy.Progress, errors);
        return 0;
    }

    private static Task TellAsync(CopyProgress progress, TextWriter errors) =>
        errors.WriteLineAsync(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"trestle-node: {progress.Files} of {progress.AllFiles} files, {progress.Bytes / 1e6:0.0} of {progress.AllBytes / 1e6:0.0} MB"));

    private static ILoggerFactory Logs() => LoggerFactory.Create(builder => builder.AddSimpleConsole(console => console.SingleLine = true).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
}
