namespace Trestle.Testing;

/// <summary>The bridge program from this build.</summary>
public sealed class BridgeProcess : IAsyncDisposable
{
    private static readonly string Library = BuiltProgram.Find("Trestle.Bridge", "bridge", "Trestle.Bridge.dll");
    private readonly Command _process;

    private BridgeProcess(Command process) => _process = process;

    /// <summary>Number of its process.</summary>
    public int Id => _process.Id;

    /// <summary>It has ended, or was ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>All it has said.</summary>
    public string Log => _process.Out + _process.Error;

    /// <param name="kubeconfig">Its API server.</param>
    /// <param name="settings">What differs from the defaults, on loopback.</param>
    public static BridgeProcess Start(string kubeconfig, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["TRESTLE_KUBECONFIG"] = kubeconfig,
            ["TRESTLE_LOGS_LISTEN"] = "http://127.0.0.1:0",
            ["TRESTLE_HEALTH_LISTEN"] = "http://127.0.0.1:0",
            ["TRESTLE_LEASE_SECONDS"] = "3",
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string?>()) environment[name] = value;
        return new BridgeProcess(Command.Start("dotnet", [Library], environment));
    }

    public void Signal(string name) => _process.Signal(name);

    public Task<CommandResult> EndAsync() => _process.EndAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
