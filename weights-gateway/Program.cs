using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;
using Trestle.WeightsGateway.Filtering;
using Trestle.WeightsGateway.Hosting;

namespace Trestle.WeightsGateway;

/// <summary>Two programs in one image: the gateway of a service, and the filter beside each engine.</summary>
internal static class Program
{
    private const int LongestDrain = 3600;
    private const int MostMebibytes = 65536;
    private static readonly ServiceProgram Gateway = new("weights gateway", SettingValues.Help("Router and weights gateway of an InferenceService.", Settings.OfGateway), GatewayAsync);
    private static readonly ServiceProgram Filter = new("filter", SettingValues.Help("Keeps an engine's control routes to the gateway.", Settings.OfFilter), FilterAsync);

    private static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["gateway", .. var rest]:
                return await Gateway.MainAsync(rest);
            case ["filter", .. var rest]:
                return await Filter.MainAsync(rest);
            default:
                await Console.Error.WriteLineAsync("trestle-weights-gateway: say what to be, gateway or filter; each has --help");
                return 2;
        }
    }

    private static async Task GatewayAsync(IReadOnlyList<string> arguments, Func<string, string?> variable, CancellationToken ct)
    {
        var values = SettingValues.Of("weights gateway", Settings.OfGateway, arguments, variable);
        var service = new ObjectKey(values.Needed(Settings.Namespace), values.Needed(Settings.Service));
        var options = new GatewayOptions
        {
            Public = values.ListenAt(Settings.Public),
            Weights = values.ListenAt(Settings.Weights),
            Token = values.Content(Settings.TokenFile) ?? values.Needed(Settings.TokenFile),
            ApiKey = values.Content(Settings.ApiKeyFile),
            Drain = TimeSpan.FromSeconds(values.Number(Settings.DrainSeconds, 0, LongestDrain)),
            RequestBytes = (long)values.Number(Settings.RequestMebibytes, 1, MostMebibytes) << 20,
        };
        using var logs = ConsoleLog.Open(values.Choice<LogLevel>(Setting.LogLevel), values.Choice<LogFormat>(Setting.LogFormat));
        var log = logs.CreateLogger("Trestle.WeightsGateway");
        var health = new GatewayHealth();
        await using var server = new HealthServer(health, GatewayMeter.WriteAsync);
        GatewayLog.Starting(log, service.ToString(), options.Public, options.Weights, await server.StartAsync(values.ListenAt(Settings.Health), ct));
        using var api = new KubeClientOptions { Kubeconfig = values.ExistingFile(Setting.Kubeconfig) }.Open(TimeProvider.System, TrestleJson.Default);
        await GatewayHost.RunAsync(api, service, options, health, log, ct);
    }

    private static async Task FilterAsync(IReadOnlyList<string> arguments, Func<string, string?> variable, CancellationToken ct)
    {
        var values = SettingValues.Of("filter", Settings.OfFilter, arguments, variable);
        var options = new FilterOptions
        {
            Engine = new Uri(values.Url(Settings.Engine)!),
            Public = values.ListenAt(Settings.FilterPublic),
            Control = values.ListenAt(Settings.Control),
            OpenAdmin = values.Flag(Settings.OpenAdmin),
        };
        using var logs = ConsoleLog.Open(values.Choice<LogLevel>(Setting.LogLevel), values.Choice<LogFormat>(Setting.LogFormat));
        await using var filter = new FilterServer(options, values.Content(Settings.TokenFile) ?? values.Needed(Settings.TokenFile));
        await filter.StartAsync(ct);
        GatewayLog.FilterStarting(logs.CreateLogger("Trestle.WeightsGateway.Filter"), filter.PublicAt, filter.ControlAt);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await filter.DrainAsync(TimeSpan.FromSeconds(values.Number(Settings.DrainSeconds, 0, LongestDrain)));
    }
}
