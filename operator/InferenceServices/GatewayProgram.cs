using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using static Trestle.Operator.InferenceServices.InferenceFacts;

namespace Trestle.Operator.InferenceServices;

/// <summary>The two containers of trestle-weights-gateway: the filter beside an engine, and the gateway. Pure.</summary>
internal static class GatewayProgram
{
    public const string TokenVolume = "trestle-gateway-token";
    public const string ApiKeyVolume = "trestle-api-key";

    /// <summary>Key of the token in its Secret.</summary>
    public const string TokenKey = "token";

    private const string Program = "trestle-weights-gateway";
    private const string TokenDirectory = "/trestle/gateway";
    private const string ApiKeyDirectory = "/trestle/api-key";
    private const string ApiKey = "api-key";
    private const string OwnAddress = "TRESTLE_POD_IP";
    private const string LeastMemory = "256Mi";
    private const long MostRequestBytes = 64L << 30; // of the program's setting

    /// <summary>The address that a server of a pod listens on.</summary>
    /// <param name="settings">Tells whether pods share the machine's network.</param>
    /// <param name="isPrivate">Only others in the pod ask it.</param>
    public static string Listen(PodSettings settings, bool isPrivate) => settings.SharedNetwork ? $"$({OwnAddress})" : isPrivate ? "127.0.0.1" : "0.0.0.0";

    /// <summary>The variable that <see cref="Listen"/> may name.</summary>
    public static V1EnvVar AddressVariable() => new() { Name = OwnAddress, ValueFrom = new V1EnvVarSource { FieldRef = new V1ObjectFieldSelector { FieldPath = "status.podIP" } } };

    /// <summary>Restarted when it ends, and ended when the engine has: a sidecar.</summary>
    public static V1Container Filter(InferenceService service, PodSettings settings)
    {
        var anywhere = Listen(settings, isPrivate: false);
        var container = Container(service, settings, Names.FilterContainer,
        [
            "--engine", $"http://{Listen(settings, isPrivate: true)}:{Text(ServicePorts.Engine)}",
            "--token-file", $"{TokenDirectory}/{TokenKey}",
            "--public", $"{anywhere}:{Text(ServicePorts.Filter)}",
            "--control", $"{anywhere}:{Text(ServicePorts.Control)}",
            "--drain-seconds", Text((long)Math.Ceiling(service.Drain.TotalSeconds)),
            .. service.Spec.Auth?.IsolateAdmin == false ? (string[])["--open-admin", "true"] : [],
        ]);
        container.RestartPolicy = "Always";
        container.Ports = [Port("http", ServicePorts.Filter), Port("control", ServicePorts.Control)];
        container.Resources = Needs("50m", "128Mi", "512Mi");
        return container;
    }

    /// <summary>The gateway of a service.</summary>
    public static V1Container Gateway(InferenceService service, PodSettings settings)
    {
        var anywhere = Listen(settings, isPrivate: false);
        var hasKey = service.Spec.Auth?.ApiKeySecretRef is not null;
        var container = Container(service, settings, Names.GatewayContainer,
        [
            "--namespace", service.Metadata.NamespaceProperty,
            "--service", service.Metadata.Name,
            "--token-file", $"{TokenDirectory}/{TokenKey}",
            "--drain-seconds", Text((long)Math.Ceiling(service.Drain.TotalSeconds)),
            "--request-mebibytes", Text(RequestBytes(service) >> 20),
            .. hasKey ? (string[])["--api-key-file", $"{ApiKeyDirectory}/{ApiKey}"] : [],
            "--public", $"{anywhere}:{Text(ServicePorts.Public)}",
            "--weights", $"{anywhere}:{Text(ServicePorts.Weights)}",
            "--health", $"{anywhere}:{Text(ServicePorts.Health)}",
        ]);
        container.Ports = [Port("http", ServicePorts.Public), Port("weights", ServicePorts.Weights), Port("health", ServicePorts.Health)];
        container.Resources = Needs("200m", LeastMemory, service.GatewayMemory);
        container.StartupProbe = Probe("/healthz", period: 2, failures: 60);
        container.LivenessProbe = Probe("/healthz", period: 20, failures: 3);
        container.ReadinessProbe = Probe("/readyz", period: 2, failures: 3);
        if (hasKey) container.VolumeMounts.Add(new V1VolumeMount { Name = ApiKeyVolume, MountPath = ApiKeyDirectory, ReadOnlyProperty = true });
        return container;
    }

    /// <summary>Why its gateway can't be run as asked, as one sentence; null when it can.</summary>
    public static string? Problem(InferenceService service) =>
        new ResourceQuantity(service.GatewayMemory).ToDecimal() < new ResourceQuantity(LeastMemory).ToDecimal() ? $"spec.router.memory {service.GatewayMemory} is too little for the gateway; give it {LeastMemory} or more" : null;

    // A body that is read and one that is sent again are there twice for a moment, and the program needs its share.
    private static long RequestBytes(InferenceService service) => Math.Min((long)(new ResourceQuantity(service.GatewayMemory).ToDecimal() / 4), MostRequestBytes);

    /// <summary>The token by which the filter knows its gateway.</summary>
    public static V1Volume Token(InferenceService service) => new()
    {
        Name = TokenVolume,
        Secret = new V1SecretVolumeSource { SecretName = Names.Gateway(service.Metadata.Name), Items = [new V1KeyToPath { Key = TokenKey, Path = TokenKey }] },
    };

    /// <summary>The key that clients must send; none when they need none.</summary>
    public static IEnumerable<V1Volume> ApiKeys(InferenceService service) => service.Spec.Auth?.ApiKeySecretRef is not { } secret ? [] :
    [
        new V1Volume { Name = ApiKeyVolume, Secret = new V1SecretVolumeSource { SecretName = secret.Name, Items = [new V1KeyToPath { Key = ApiKey, Path = ApiKey }] } },
    ];

    private static V1Container Container(InferenceService service, PodSettings settings, string part, IEnumerable<string> arguments) => new()
    {
        Name = part,
        Image = settings.GatewayImage ?? settings.NodeImage ?? settings.DefaultImage ?? service.Spec.Engine?.Image ?? EngineSpec.DefaultImage,
        Command = [Program, part, .. arguments],
        // Nothing is written to the read-only root.
        Env = [AddressVariable(), new V1EnvVar { Name = "DOTNET_EnableDiagnostics", Value = "0" }],
        TerminationMessagePolicy = "FallbackToLogsOnError",
        VolumeMounts = [new V1VolumeMount { Name = TokenVolume, MountPath = TokenDirectory, ReadOnlyProperty = true }],
        SecurityContext = new V1SecurityContext
        {
            RunAsNonRoot = true,
            AllowPrivilegeEscalation = false,
            ReadOnlyRootFilesystem = true,
            Capabilities = new V1Capabilities { Drop = ["ALL"] },
            SeccompProfile = new V1SeccompProfile { Type = "RuntimeDefault" },
        },
    };

    private static V1ContainerPort Port(string name, int port) => new() { Name = name, ContainerPort = port };

    private static V1Probe Probe(string path, int period, int failures) => new()
    {
        HttpGet = new V1HTTPGetAction { Path = path, Port = ServicePorts.Health },
        PeriodSeconds = period,
        TimeoutSeconds = 5,
        FailureThreshold = failures,
    };

    private static V1ResourceRequirements Needs(string cpu, string memory, string most) => new()
    {
        Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new(cpu), ["memory"] = new(memory) },
        Limits = new Dictionary<string, ResourceQuantity> { ["memory"] = new(most) },
    };
}
