using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Trestle.Bridge.Hosting;

/// <summary>What the bridge program runs with. Each setting is a flag (--lease-seconds 10) or a variable (TRESTLE_LEASE_SECONDS); the flag wins.</summary>
/// <param name="Bridge">The bridge itself.</param>
/// <param name="HealthListen">Where health and metrics are served.</param>
/// <param name="LogLevel">Least level that is written.</param>
/// <param name="IsJson">Log lines are JSON objects.</param>
internal sealed record ProgramOptions(BridgeOptions Bridge, string HealthListen, LogLevel LogLevel, bool IsJson)
{
    /// <summary>The login node is this machine.</summary>
    public bool IsLocal { get; init; }

    private static readonly (string Name, string? Default, string Help)[] Settings =
    [
        ("kubeconfig", null, "path of a kubeconfig; when left out the pod's own service account, else KUBECONFIG or ~/.kube/config"),
        ("namespace", "trestle-system", "namespace of the bridge's leases and Secret, and of Secrets that name none"),
        ("logs-listen", "http://*:8092", "where logs of Slurm jobs are served"),
        ("health-listen", "http://*:8081", "where /healthz, /readyz and /metrics are served"),
        ("lease-seconds", "10", "how long the lease of a bridge that died keeps others out, 3 to 300"),
        ("login", "ssh", "ssh, or local for a bridge that runs on the login node and is the only user there"),
        ("log-level", "Information", "Trace, Debug, Information, Warning or Error"),
        ("log-format", "text", "text or json"),
    ];

    /// <summary>All settings, for people.</summary>
    public static string Help =>
        "The Slurm bridge of Trestle. Each setting is a flag or an environment variable; the flag wins.\n\n"
        + string.Concat(Settings.Select(setting => $"  --{setting.Name,-20}{Variable(setting.Name),-28}{setting.Help}{(setting.Default is { } value ? $" (default {value})" : "")}\n"));

    /// <summary>Reads and checks everything.</summary>
    /// <exception cref="SettingException">A setting can't be used; its name is in the message.</exception>
    public static ProgramOptions Read(IReadOnlyList<string> arguments, Func<string, string?> variable)
    {
        var flags = Flags(arguments);
        var options = new BridgeOptions
        {
            Kubeconfig = Text("kubeconfig") is not { } path || File.Exists(path) ? Text("kubeconfig") : throw Wrong("kubeconfig", "the path of a file", path),
            Namespace = Text("namespace")!,
            LogsListen = Listen("logs-listen"),
            LeaseSeconds = int.TryParse(Text("lease-seconds"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 3 and <= 300
                ? seconds
                : throw Wrong("lease-seconds", "a whole number from 3 to 300", Text("lease-seconds")),
        };
        var level = Enum.TryParse<LogLevel>(Text("log-level"), ignoreCase: true, out var found) && Enum.IsDefined(found) ? found : throw Wrong("log-level", "one of Trace, Debug, Information, Warning and Error", Text("log-level"));
        var isJson = Text("log-format") switch
        {
            "json" => true,
            "text" => false,
            var other => throw Wrong("log-format", "text or json", other),
        };
        var isLocal = Text("login") switch
        {
            "ssh" => false,
            "local" => true,
            var other => throw Wrong("login", "ssh or local", other),
        };
        return new ProgramOptions(options, Listen("health-listen"), level, isJson) { IsLocal = isLocal };

        string? Text(string name) => flags.GetValueOrDefault(name) ?? (variable(Variable(name)) is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : Settings.First(setting => setting.Name == name).Default);

        string Listen(string name) => IsAddress(Text(name)!) ? Text(name)! : throw Wrong(name, "an address to listen on, e.g. http://*:8092", Text(name));
    }

    private static Dictionary<string, string> Flags(IReadOnlyList<string> arguments)
    {
        var flags = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var at = 0; at < arguments.Count; at++)
        {
            var parts = arguments[at].Split('=', 2);
            if (!Settings.Any(setting => "--" + setting.Name == parts[0])) throw new SettingException($"{parts[0]} is no flag of the bridge; --help lists them");
            var value = parts.Length == 2 ? parts[1] : at + 1 < arguments.Count ? arguments[++at] : throw new SettingException($"{parts[0]} needs a value behind it");
            if (!flags.TryAdd(parts[0][2..], value)) throw new SettingException($"{parts[0]} is given twice; give it once");
        }

        return flags;
    }

    private static bool IsAddress(string text)
    {
        try
        {
            return BindingAddress.Parse(text) is { Scheme: "http", PathBase: "", Host.Length: > 0, IsUnixPipe: false, Port: >= 0 and <= 65535 };
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static string Variable(string name) => "TRESTLE_" + name.ToUpperInvariant().Replace('-', '_');

    private static SettingException Wrong(string name, string wanted, string? got) => new($"{Variable(name)} (--{name}) must be {wanted}; got '{got}'");
}

/// <summary>The program was told something it can't use; the message names the setting and what to write instead.</summary>
internal sealed class SettingException(string message) : Exception(message);
