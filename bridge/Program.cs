using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Hosting;
using Trestle.Bridge.Login;
using Trestle.Runtime;

namespace Trestle.Bridge;

/// <summary>The bridge as a program of its own.</summary>
internal static class Program
{
    /// <summary>Leases are given back when it is told to end.</summary>
    public static readonly ServiceProgram Service = new("bridge", SettingValues.Help("The Slurm bridge of Trestle.", Settings.All), RunAsync);

    private static Task<int> Main(string[] arguments) => Service.MainAsync(arguments);

    private static async Task RunAsync(IReadOnlyList<string> arguments, Func<string, string?> variable, CancellationToken ct)
    {
        var options = ProgramOptions.Read(arguments, variable);
        var fail = FailPoint.Of(variable);
        using var logs = ConsoleLog.Open(options.LogLevel, options.LogFormat);
        var health = new BridgeHealth();
        await using var server = new HealthServer(health, BridgeMeter.WriteAsync);
        var address = await server.StartAsync(options.HealthListen, ct);
        BridgeLog.Starting(logs.CreateLogger("Trestle.Bridge"), options.Bridge.Namespace, address);
        using var api = new KubeClientOptions { Kubeconfig = options.Bridge.Kubeconfig }.Open(TimeProvider.System, TrestleJson.Default);
        await using var ssh = new SshLoginNodes(new SshOptions(), TimeProvider.System, logs.CreateLogger("Trestle.Bridge.Login"));
        ILoginNodes nodes = options.Login == LoginWay.Local ? new LocalLoginNodes(new SshOptions(), TimeProvider.System) : ssh;
        await BridgeHost.RunAsync(api, options.Bridge, nodes, logs, TimeProvider.System, health, fail, ct);
    }
}
