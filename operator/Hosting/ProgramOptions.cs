using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Hosting;

/// <summary>What the operator program runs with.</summary>
/// <param name="Operator">The operator itself.</param>
/// <param name="HealthListen">Where health is served.</param>
/// <param name="LogLevel">Least level that is written.</param>
/// <param name="LogFormat">How it is written.</param>
internal sealed record ProgramOptions(OperatorOptions Operator, string HealthListen, LogLevel LogLevel, LogFormat LogFormat)
{
    /// <summary>Reads and checks everything.</summary>
    /// <exception cref="SettingException">A setting can't be used; its name is in the message.</exception>
    public static ProgramOptions Read(IReadOnlyList<string> arguments, Func<string, string?> variable)
    {
        var values = SettingValues.Of("operator", Settings.All, arguments, variable);
        var options = new OperatorOptions
        {
            Kubeconfig = values.ExistingFile(Setting.Kubeconfig),
            Namespace = values.Name(Settings.Namespace)!,
            PodName = values.Text(Settings.PodName),
            DefaultImage = values.Image(Settings.DefaultImage),
            NodeImage = values.Image(Settings.NodeImage),
            GatewayImage = values.Image(Settings.GatewayImage),
            DefaultStorageRoot = values.AbsolutePath(Settings.DefaultStorageRoot),
            LauncherAccount = values.Name(Settings.LauncherAccount),
            RendezvousListen = values.Listen(Settings.RendezvousListen),
            RendezvousUrl = values.Url(Settings.RendezvousUrl),
            MetricsListen = values.ListenOrNowhere(Settings.MetricsListen),
            StarvationTimeout = Time(Settings.StarvationTimeout),
            StartTimeout = Time(Settings.StartTimeout),
            LeaderElection = values.Flag(Settings.LeaderElection),
            LeaseSeconds = values.Number(Setting.LeaseSeconds, 3, 300),
        };
        if (options.RendezvousUrl is null && ListensEverywhere(options.RendezvousListen))
            throw new SettingException($"{Settings.RendezvousUrl.Both} must be set to the address at which pods reach {options.RendezvousListen}, e.g. http://trestle.trestle-system.svc:8090");
        return new ProgramOptions(options, values.Listen(Setting.HealthListen), values.Choice<LogLevel>(Setting.LogLevel), values.Choice<LogFormat>(Setting.LogFormat));

        TimeSpan Time(Setting setting) => values.Read(setting, "a duration such as 90s, 10m or 1h", text => Duration.TryParse(text, out var time) && time > TimeSpan.Zero ? time : default(TimeSpan?));
    }

    private static bool ListensEverywhere(string listen) => BindingAddress.Parse(listen).Host is "*" or "+" or "0.0.0.0" or "[::]";
}
