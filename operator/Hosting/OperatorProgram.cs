using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Trestle.Operator.Health;

namespace Trestle.Operator.Hosting;

/// <summary>The operator as a program of its own.</summary>
internal static class OperatorProgram
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";

    /// <summary>Runs until cancelled; the lease is given back then. 0: asked to end; 1: it can't work; 2: wrong settings.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Func<string, string?> variable, TextWriter output, TextWriter errors, CancellationToken ct)
    {
        if (arguments is ["--help" or "-h"])
        {
            await output.WriteAsync(Help());
            return 0;
        }

        try
        {
            await RunAsync(ProgramOptions.Read(arguments, variable), ct);
            return 0;
        }
        catch (SettingException error)
        {
            await errors.WriteLineAsync($"trestle operator: {error.Message}");
            return 2;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception error) when (error is InvalidOperationException or IOException or k8s.Exceptions.KubeConfigException)
        {
            await errors.WriteLineAsync($"trestle operator: {error.Message}");
            return 1;
        }
    }

    private static async Task RunAsync(ProgramOptions options, CancellationToken ct)
    {
        using var logs = Logging(options);
        var health = new OperatorHealth();
        await using var server = new HealthServer(health);
        var address = await server.StartAsync(options.HealthListen, ct);
        OperatorLog.Starting(logs.CreateLogger("Trestle.Operator"), options.Operator.Namespace, address);
        await OperatorHost.RunAsync(options.Operator, logs, TimeProvider.System, ct, health);
    }

    private static ILoggerFactory Logging(ProgramOptions options) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(options.LogLevel).AddFilter("Microsoft", LogLevel.Warning);
        if (options.LogFormat == LogFormat.Json)
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

    private static string Help() =>
        "The Trestle operator. Each setting is a flag or an environment variable; the flag wins.\n\n"
        + string.Concat(Settings.All.Select(setting => $"  {setting.Flag,-24}{setting.Variable,-30}{setting.Help}{(setting.Default is { } value ? $" (default {value})" : "")}\n"));
}
