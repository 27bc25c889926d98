using Microsoft.Extensions.Logging;
using Trestle.Runtime;

namespace Trestle.Bridge.Hosting;

/// <summary>What the bridge program runs with.</summary>
/// <param name="Bridge">The bridge itself.</param>
/// <param name="Login">How it comes to login nodes.</param>
/// <param name="HealthListen">Where health and metrics are served.</param>
/// <param name="LogLevel">Least level that is written.</param>
/// <param name="LogFormat">How it is written.</param>
internal sealed record ProgramOptions(BridgeOptions Bridge, LoginWay Login, string HealthListen, LogLevel LogLevel, LogFormat LogFormat)
{
    /// <summary>Reads and checks everything.</summary>
    /// <exception cref="SettingException">A setting can't be used; its name is in the message.</exception>
    public static ProgramOptions Read(IReadOnlyList<string> arguments, Func<string, string?> variable)
    {
        var values = SettingValues.Of("bridge", Settings.All, arguments, variable);
        var bridge = new BridgeOptions
        {
            Kubeconfig = values.ExistingFile(Setting.Kubeconfig),
            Namespace = values.Name(Settings.Namespace)!,
            LogsListen = values.Listen(Settings.LogsListen),
            LogsAt = values.Text(Settings.LogsAt),
            LeaseSeconds = values.Number(Setting.LeaseSeconds, 3, 300),
        };
        return new ProgramOptions(bridge, values.Choice<LoginWay>(Settings.Login), values.Listen(Settings.HealthListen), values.Choice<LogLevel>(Setting.LogLevel), values.Choice<LogFormat>(Setting.LogFormat));
    }
}
