using System.Net;

namespace Trestle.Testing.Engine;

/// <summary>The gateway program from this build.</summary>
public sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly string Library = BuiltProgram.Find("Trestle.WeightsGateway", "weights-gateway", "trestle-weights-gateway.dll");
    private readonly Command _process;

    private GatewayProcess(Command process, Uri @public, Uri weights, Uri health) => (_process, Public, Weights, Health) = (process, @public, weights, health);

    public int Id => _process.Id;

    public Uri Public { get; }

    public Uri Weights { get; }

    public Uri Health { get; }

    public string Log => _process.Out + _process.Error;

    public bool HasExited => _process.HasExited;

    /// <summary>Starts it and waits until it works.</summary>
    public static async Task<GatewayProcess> StartAsync(string kubeconfig, string service, string tokenFile)
    {
        string[] at = [$"127.0.0.1:{EngineFarm.FreePort()}", $"127.0.0.1:{EngineFarm.FreePort()}", $"127.0.0.1:{EngineFarm.FreePort()}"];
        var process = Command.Start("dotnet",
        [
            Library, "gateway", "--namespace", "default", "--service", service, "--token-file", tokenFile, "--kubeconfig", kubeconfig,
            "--public", at[0], "--weights", at[1], "--health", at[2],
        ]);
        var gateway = new GatewayProcess(process, new Uri($"http://{at[0]}"), new Uri($"http://{at[1]}"), new Uri($"http://{at[2]}"));
        using var http = new HttpClient();
        await Condition.UntilAsync("the gateway works", async () => (await http.GetAsync(new Uri(gateway.Health, "/readyz"))).StatusCode == HttpStatusCode.OK, explain: () => Task.FromResult(gateway.Log));
        return gateway;
    }

    public static Command StartFilter(Uri engine, string address, string tokenFile) =>
        Command.Start("dotnet", [Library, "filter", "--engine", engine.ToString(), "--token-file", tokenFile, "--public", $"{address}:8080", "--control", $"{address}:8081"]);

    public void Kill() => _process.Signal("KILL");

    public Task<CommandResult> StopAsync()
    {
        _process.Signal("TERM");
        return _process.EndAsync();
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
