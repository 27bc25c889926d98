using Trestle.Operator.Health;
using Trestle.Operator.Hosting;
using Trestle.Runtime;

namespace Trestle.Operator;

/// <summary>The operator as a program of its own. Not top-level statements: other methods of this assembly are called Main as well.</summary>
internal static class Program
{
    /// <summary>The lease is given back when it is told to end.</summary>
    public static readonly ServiceProgram Service = new("operator", SettingValues.Help("The Trestle operator.", Settings.All), RunAsync);

    private static Task<int> Main(string[] arguments) => Service.MainAsync(arguments);

    private static async Task RunAsync(IReadOnlyList<string> arguments, Func<string, string?> variable, CancellationToken ct)
    {
        var options = ProgramOptions.Read(arguments, variable);
        using var logs = ConsoleLog.Open(options.LogLevel, options.LogFormat);
        var health = new OperatorHealth();
        await using var server = new HealthServer(health);
        var address = await server.StartAsync(options.HealthListen, ct);
        OperatorLog.Starting(logs.CreateLogger("Trestle.Operator"), options.Operator.Namespace, address);
        await OperatorHost.RunAsync(options.Operator, logs, TimeProvider.System, ct, health);
    }
}
