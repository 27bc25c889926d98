using Trestle.Runtime;

namespace Trestle.WeightsGateway.Hosting;

/// <summary>All settings of the program's two parts.</summary>
internal static class Settings
{
    public static readonly Setting Namespace = new("namespace", null, "namespace of the InferenceService");
    public static readonly Setting Service = new("service", null, "name of the InferenceService");
    public static readonly Setting TokenFile = new("token-file", null, "file with the token that the gateway sends and filters ask for");
    public static readonly Setting ApiKeyFile = new("api-key-file", null, "file with the key that clients must send; none when left out");
    public static readonly Setting Public = new("public", "*:8000", "where requests are served");
    public static readonly Setting Weights = new("weights", "*:8001", "where trainers send weights");
    public static readonly Setting Health = new("health", "*:9090", "where /healthz, /readyz and /metrics are served");
    public static readonly Setting Engine = new("engine", "http://127.0.0.1:8000", "address of the engine");
    public static readonly Setting FilterPublic = Public with { Default = "*:8080", Help = "where public routes are served" };
    public static readonly Setting Control = new("control", "*:8081", "where control routes are served, to the gateway alone");
    public static readonly Setting OpenAdmin = new("open-admin", "false", "true: control routes are public too");

    public static readonly Setting DrainSeconds = new("drain-seconds", "60", "how long requests that have begun may take after it was told to end, 0 to 3600");

    public static readonly Setting RequestMebibytes = new("request-mebibytes", "256", "MiB of requests without an answer that are kept, of all together, 1 to 65536; best a quarter of the memory that it may have");

    /// <summary>In the order of <c>--help</c>.</summary>
    public static readonly IReadOnlyList<Setting> OfGateway = [Setting.Kubeconfig, Namespace, Service, TokenFile, ApiKeyFile, Public, Weights, Health, DrainSeconds, RequestMebibytes, Setting.LogLevel, Setting.LogFormat];

    /// <summary>In the order of <c>--help</c>.</summary>
    public static readonly IReadOnlyList<Setting> OfFilter = [Engine, TokenFile, FilterPublic, Control, OpenAdmin, DrainSeconds, Setting.LogLevel, Setting.LogFormat];
}
