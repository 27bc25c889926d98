using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

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
        var values = SettingValues.Of(arguments, variable);
        var options = new OperatorOptions
        {
            Kubeconfig = values.ExistingFile(Settings.Kubeconfig),
            Namespace = values.Name(Settings.Namespace)!,
            PodName = values.Text(Settings.PodName),
            DefaultImage = values.Image(Settings.DefaultImage),
            NodeImage = values.Image(Settings.NodeImage),
            DefaultStorageRoot = values.AbsolutePath(Settings.DefaultStorageRoot),
            LauncherAccount = values.Name(Settings.LauncherAccount),
            RendezvousListen = values.Listen(Settings.RendezvousListen),
            RendezvousUrl = values.Url(Settings.RendezvousUrl),
            MetricsListen = values.ListenOrNowhere(Settings.MetricsListen),
            StarvationTimeout = values.Time(Settings.StarvationTimeout),
            StartTimeout = values.Time(Settings.StartTimeout),
            LeaderElection = values.Flag(Settings.LeaderElection),
            LeaseSeconds = values.Number(Settings.LeaseSeconds, 3, 300),
        };
        if (options.RendezvousUrl is null && ListensEverywhere(options.RendezvousListen))
            throw new SettingException($"{Settings.RendezvousUrl.Both} must be set to the address at which pods reach {options.RendezvousListen}, e.g. http://trestle.trestle-system.svc:8090");
        return new ProgramOptions(options, values.Listen(Settings.HealthListen), values.Choice<LogLevel>(Settings.LogLevel), values.Choice<LogFormat>(Settings.LogFormat));
    }

    private static bool ListensEverywhere(string listen) => BindingAddress.Parse(listen).Host is "*" or "+" or "0.0.0.0" or "[::]";
}
