using System.Net;
using System.Net.Sockets;

namespace Trestle.Testing;

/// <summary>The operator program from this build, against a server that has no operator of its own.</summary>
public sealed class OperatorProcess : IAsyncDisposable
{
    private static readonly string Library = BuiltProgram.Find("Trestle.Operator", "operator", "Trestle.Operator.dll");
    private readonly Command _process;
    private readonly HttpClient _http;

    private OperatorProcess(Command process, int healthPort)
    {
        _process = process;
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{healthPort}") };
    }

    /// <summary>Number of its process.</summary>
    public int Id => _process.Id;

    /// <summary>All it has said.</summary>
    public string Log => _process.Out + _process.Error;

    /// <param name="plane">Where it works.</param>
    /// <param name="rendezvousPort">May be the same for several: the leader alone listens, as behind the chart's Service.</param>
    /// <param name="pod">The pod it is taken to run in.</param>
    public static OperatorProcess Start(LocalPlane plane, int rendezvousPort, string? pod = null) => Start(plane.Kubeconfig, new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["TRESTLE_POD_NAME"] = pod,
        ["TRESTLE_DEFAULT_IMAGE"] = "local",
        ["TRESTLE_DEFAULT_STORAGE_ROOT"] = plane.Objects,
        ["TRESTLE_RENDEZVOUS_LISTEN"] = $"http://127.0.0.1:{rendezvousPort}",
        ["TRESTLE_LEASE_SECONDS"] = "6",
    });

    /// <param name="kubeconfig">Its server.</param>
    /// <param name="settings">What differs from the defaults, on loopback.</param>
    public static OperatorProcess Start(string kubeconfig, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var health = FreePort();
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["TRESTLE_KUBECONFIG"] = kubeconfig,
            ["TRESTLE_RENDEZVOUS_LISTEN"] = "http://127.0.0.1:0",
            ["TRESTLE_HEALTH_LISTEN"] = $"http://127.0.0.1:{health}",
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string?>()) environment[name] = value;
        return new OperatorProcess(Command.Start("dotnet", [Library], environment), health);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Status and text of a path of the health endpoint.</summary>
    public async Task<(HttpStatusCode Status, string Text)> AskAsync(string path)
    {
        using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative));
        return (answer.StatusCode, (await answer.Content.ReadAsStringAsync()).Trim());
    }

    public Task UntilAsync(string state) =>
        Condition.UntilAsync($"an operator is {state}", async () => await AskAsync("/readyz") == (HttpStatusCode.OK, state), explain: () => Task.FromResult(Log));

    public void Signal(string name) => _process.Signal(name);

    public Task<CommandResult> EndAsync() => _process.EndAsync();

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }
}
