using Trestle.Runtime;

namespace Trestle.Bridge.Hosting;

/// <summary>All settings of the bridge program.</summary>
internal static class Settings
{
    public static readonly Setting Namespace = new("namespace", "trestle-system", "namespace of the bridge's leases and Secret, and of Secrets that name none");
    public static readonly Setting LogsListen = new("logs-listen", "http://*:8092", "where logs of Slurm jobs are served");
    public static readonly Setting LogsAt = new("logs-at", null, "where readers find those logs: the path of a Service's proxy on the API server, or an address; when left out people can't read them");
    public static readonly Setting HealthListen = Setting.HealthListen with { Help = "where /healthz, /readyz and /metrics are served" };
    public static readonly Setting Login = new("login", "ssh", "ssh, or local for a bridge that runs on the login node and is the only user there");

    /// <summary>In the order of <c>--help</c>.</summary>
    public static readonly IReadOnlyList<Setting> All = [Setting.Kubeconfig, Namespace, LogsListen, LogsAt, HealthListen, Setting.LeaseSeconds, Login, Setting.LogLevel, Setting.LogFormat];
}
