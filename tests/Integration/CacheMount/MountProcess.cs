using System.Globalization;
using System.Text.Json.Nodes;
using Trestle.CacheMount.Control;
using Trestle.CacheMount.Native;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Integration.Tests.CacheMount;

/// <summary>The real <c>trestle-node cachemount serve</c>, which a test kills as it likes.</summary>
internal sealed class MountProcess : IAsyncDisposable
{
    /// <summary>The program's library.</summary>
    public static readonly string Library = BuiltProgram.Find("Trestle.Node", "node", "trestle-node.dll");
    private readonly string _cache;
    private readonly Command _command;

    private MountProcess(string cache, Command command) => (_cache, _command) = (cache, command);

    /// <summary>Where the user's files are, whatever the front.</summary>
    public string Files => Path.Combine(_cache, "files");

    public string Socket => Path.Combine(_cache, "state", "socket");

    public string Log => _command.Out + _command.Error;

    public int Id => _command.Id;

    public bool HasExited => _command.HasExited;

    /// <param name="cache">Its directory.</param>
    /// <param name="server">Its store.</param>
    /// <param name="largestFile">Bytes after which the kernel kills it for writing to a file, which is the journal; null: no limit.</param>
    /// <param name="more">More options.</param>
    public static MountProcess Start(string cache, FaultyS3 server, long? largestFile = null, params string[] more)
    {
        string[] arguments = [Library, "cachemount", "serve", "--cache", cache, "--store", $"s3://{FaultyS3.Bucket}/run", "--endpoint", server.Endpoint.AbsoluteUri, "--path-style", "true", "--part-size", "5242880", "--name", "node-0", .. more];
        var command = largestFile is { } limit
            ? Command.Start("prlimit", ["--fsize=" + limit.ToString(CultureInfo.InvariantCulture), "dotnet", .. arguments], FaultyS3.Credentials)
            : Command.Start("dotnet", arguments, FaultyS3.Credentials);
        return new MountProcess(cache, command);
    }

    /// <summary>Runs another cachemount command.</summary>
    public static Task<CommandResult> RunAsync(params string[] arguments) => Command.RunAsync("dotnet", [Library, "cachemount", .. arguments], FaultyS3.Credentials, TimeSpan.FromSeconds(60));

    /// <summary>Waits until it answers.</summary>
    public Task ReadyAsync() => Condition.UntilAsync("the mount answers", async () => (await CallAsync(HttpMethod.Get, "healthz")).Status == 200, TimeSpan.FromSeconds(30), () => Task.FromResult(Log));

    public async Task<(int Status, string Text)> CallAsync(HttpMethod method, string call)
    {
        using var client = new ControlClient(Socket);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await client.CallAsync(method, call, limit.Token);
    }

    public async Task<JsonObject> StatusAsync() => JsonNode.Parse((await CallAsync(HttpMethod.Get, "v1/status")).Text)!.AsObject();

    /// <summary>Waits until everything is in the store.</summary>
    public async Task FlushAsync()
    {
        var (status, text) = await CallAsync(HttpMethod.Post, "v1/flush?timeout=45");
        if (status != 200) throw new InvalidOperationException($"{text}\n{Log}");
    }

    public async Task KillAsync()
    {
        _command.Signal("KILL");
        await EndAsync();
    }

    public Task<CommandResult> EndAsync() => _command.EndAsync(TimeSpan.FromSeconds(60));

    public void Signal(string name) => _command.Signal(name);

    public async ValueTask DisposeAsync()
    {
        await _command.DisposeAsync();
        // Of a test that has failed: what it says must not be hidden by a directory that can't be removed.
        _ = Posix.Unmount(Files, Posix.DetachMount);
    }
}
