using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Login;
using Trestle.Runtime;

namespace Trestle.Bridge.Hosting;

/// <summary>The bridge as a program of its own.</summary>
internal static class BridgeProgram
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";

    /// <summary>Runs until cancelled. 0: asked to end; 1: it can't work; 2: wrong settings.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Func<string, string?> variable, TextWriter output, TextWriter errors, CancellationToken ct)
    {
        if (arguments is ["--help" or "-h"])
        {
            await output.WriteAsync(ProgramOptions.Help);
            return 0;
        }

        try
        {
            await RunAsync(ProgramOptions.Read(arguments, variable), FailPoint.Of(variable), ct);
            return 0;
        }
        catch (SettingException error)
        {
            await errors.WriteLineAsync($"trestle bridge: {error.Message}");
            return 2;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception error) when (error is InvalidOperationException or IOException or k8s.Exceptions.KubeConfigException)
        {
            await errors.WriteLineAsync($"trestle bridge: {error.Message}");
            return 1;
        }
    }

    private static async Task RunAsync(ProgramOptions options, FailPoints fail, CancellationToken ct)
    {
        using var logs = Logging(options);
        var health = new BridgeHealth();
        await using var server = new HealthServer(health);
        var address = await server.StartAsync(options.HealthListen, ct);
        BridgeLog.Starting(logs.CreateLogger("Trestle.Bridge"), options.Bridge.Namespace, address);
        using var api = new KubeClientOptions { Kubeconfig = options.Bridge.Kubeconfig }.Open(TimeProvider.System, TrestleJson.Default);
        await using var ssh = new SshLoginNodes(new SshOptions(), TimeProvider.System, logs.CreateLogger("Trestle.Bridge.Login"));
        ILoginNodes nodes = options.IsLocal ? new LocalLoginNodes(new SshOptions(), TimeProvider.System) : ssh;
        await BridgeHost.RunAsync(api, options.Bridge, nodes, logs, TimeProvider.System, health, fail, ct);
    }

    private static ILoggerFactory Logging(ProgramOptions options) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(options.LogLevel).AddFilter("Microsoft", LogLevel.Warning);
        if (options.IsJson)
        {
            builder.AddJsonConsole(console => (console.TimestampFormat, console.UseUtcTimestamp) = (TimeFormat.TrimEnd(), true));
            return;
        }

        builder.AddSimpleConsole(console =>
        {
            (console.SingleLine, console.ColorBehavior) = (true, LoggerColorBehavior.Disabled);
            (console.TimestampFormat, console.UseUtcTimestamp) = (TimeFormat, true);
        });
    });
}
