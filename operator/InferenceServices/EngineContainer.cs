using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;

namespace Trestle.Operator.InferenceServices;

/// <summary>The container of the engine. Pure.</summary>
internal static class EngineContainer
{
    private static readonly ProbeSpec Startup = new() { Path = "/v1/models", PeriodSeconds = 10, TimeoutSeconds = 5, FailureThreshold = 180 };
    private static readonly ProbeSpec Readiness = new() { Path = "/health", PeriodSeconds = 5, TimeoutSeconds = 5, FailureThreshold = 3 };

    // An engine that is busy is no dead one.
    private static readonly ProbeSpec Liveness = new() { Path = "/health", PeriodSeconds = 10, TimeoutSeconds = 10, FailureThreshold = 6 };

    /// <summary>Of one node of a replica.</summary>
    public static V1Container Build(InferenceService service, PodSettings settings, int replica, int node, Accelerators? accelerators, IEnumerable<V1VolumeMount> mounts)
    {
        var container = new V1Container
        {
            Name = Names.EngineContainer,
            Image = service.Spec.Engine?.Image ?? EngineSpec.DefaultImage,
            Command = EngineCommand.Program(service),
            Args = EngineCommand.Arguments(service, replica, node, GatewayProgram.Listen(settings, isPrivate: true)),
            WorkingDir = service.Spec.Workdir?.ConfigMap is null ? null : Paths.Workdir,
            TerminationMessagePolicy = "FallbackToLogsOnError",
            Env = [.. Environment(service, settings)],
            Resources = MainContainer.Resources(service.Spec.Resources, accelerators),
            VolumeMounts = [.. mounts],
            Lifecycle = new V1Lifecycle { PreStop = new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = (long)Math.Ceiling(service.PreStop.TotalSeconds) } } },
        };
        if (service.PreStop <= TimeSpan.Zero) container.Lifecycle = null;
        if (node == 0) AddProbes(container, service.Spec.Health);
        return container;
    }

    // Through the filter: the engine itself can't be reached from outside of the pod.
    private static void AddProbes(V1Container container, HealthSpec? health)
    {
        container.StartupProbe = Probe(health?.Startup, Startup);
        container.ReadinessProbe = Probe(health?.Readiness, Readiness);
        container.LivenessProbe = Probe(health?.Liveness, Liveness);
    }

    private static V1Probe Probe(ProbeSpec? asked, ProbeSpec otherwise) => new()
    {
        HttpGet = new V1HTTPGetAction { Path = asked?.Path ?? otherwise.Path, Port = ServicePorts.Filter },
        PeriodSeconds = asked?.PeriodSeconds ?? otherwise.PeriodSeconds,
        TimeoutSeconds = asked?.TimeoutSeconds ?? otherwise.TimeoutSeconds,
        FailureThreshold = asked?.FailureThreshold ?? otherwise.FailureThreshold,
    };

    // The user's own come last, and so win.
    private static IEnumerable<V1EnvVar> Environment(InferenceService service, PodSettings settings)
    {
        if (settings.SharedNetwork) yield return GatewayProgram.AddressVariable();
        if (service.TakesWeights) yield return new V1EnvVar { Name = "VLLM_SERVER_DEV_MODE", Value = "1" };
        if (EngineVolumes.CachePath(service) is { } cache) yield return new V1EnvVar { Name = "HF_HOME", Value = cache };
        if (service.Spec.Model.TokenSecretRef is { } token) yield return Secret("HF_TOKEN", token, "token");
        if (service.Spec.Model.CredentialsSecretRef is { } credentials)
        {
            yield return Secret("AWS_ACCESS_KEY_ID", credentials);
            yield return Secret("AWS_SECRET_ACCESS_KEY", credentials);
            foreach (var name in (string[])["AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL"]) yield return Secret(name, credentials, optional: true);
        }

        foreach (var variable in service.Spec.Engine?.Env ?? []) yield return MainContainer.Variable(variable);
    }

    private static V1EnvVar Secret(string name, NameReference secret, string? key = null, bool? optional = null) => new()
    {
        Name = name,
        ValueFrom = new V1EnvVarSource { SecretKeyRef = new V1SecretKeySelector { Name = secret.Name, Key = key ?? name, Optional = optional } },
    };
}
