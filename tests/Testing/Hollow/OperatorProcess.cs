
namespace Trestle.Testing.Hollow;

/// <summary>The operator's own program, as it runs in a cluster: a process with a kubeconfig.</summary>
public sealed class OperatorProcess : IAsyncDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Trestle.Operator.dll");
    private readonly Command _command;

    private OperatorProcess(Command command) => _command = command;

    /// <summary>Its number.</summary>
    public int Id => _command.Id;

    /// <summary>All it has said.</summary>
    public string Log => _command.Out + _command.Error;

    /// <summary>True when it has ended.</summary>
    public bool HasExited => _command.HasExited;

    /// <summary>Starts it; it may not lead yet.</summary>
    /// <param name="kubeconfig">Its server.</param>
    /// <param name="environment">More settings.</param>
    public static OperatorProcess Start(string kubeconfig, IReadOnlyDictionary<string, string?>? environment = null) => new(Command.Start("dotnet", [Program],
        new Dictionary<string, string?>(environment ?? new Dictionary<string, string?>())
        {
            ["TRESTLE_KUBECONFIG"] = kubeconfig,
            ["TRESTLE_RENDEZVOUS_LISTEN"] = "http://127.0.0.1:0",
            ["TRESTLE_HEALTH_LISTEN"] = "http://127.0.0.1:0",
        }));

    /// <summary>kill -9.</summary>
    public void Kill() => _command.Signal("KILL");

    public ValueTask DisposeAsync() => _command.DisposeAsync();
}
