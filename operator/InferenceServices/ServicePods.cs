using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using static Trestle.Operator.InferenceServices.InferenceFacts;

namespace Trestle.Operator.InferenceServices;

/// <summary>A service → its pods: the nodes of its replicas, and the gateway. Pure.</summary>
public static class ServicePods
{
    private const int HashLength = 12;

    // What a pod takes to go beside what its containers are given for it.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    /// <summary>Why no pod can be made of the service, as a sentence; null when one can.</summary>
    public static string? Problem(InferenceService service)
    {
        if (GatewayProgram.Problem(service) is { } tooLittle) return tooLittle;
        if (service.Spec.PodTemplate is not { Count: > 0 } overlay) return null;
        if (PodOverlay.Problem(overlay, Names.EngineContainer, "spec.engine.command and spec.engine.args") is { } problem) return problem;
        var spec = PodOverlay.Spec(overlay);
        if (spec?.ContainsKey("readinessGates") == true) return "spec.podTemplate may not set readinessGates, which Trestle sets itself; remove it";
        return (spec?["initContainers"] as JsonArray)?.OfType<JsonObject>().Any(container => container["name"]?.ToString() == Names.FilterContainer) == true
            ? $"spec.podTemplate may not change the container {Names.FilterContainer}, which is Trestle's own; rename yours"
            : null;
    }

    /// <summary>The pod of a node of a replica: gated, bound to no node.</summary>
    /// <exception cref="LaunchRefusedException">podTemplate can't be used.</exception>
    public static V1Pod Replica(InferenceService service, PodSettings settings, int replica, int node)
    {
        var pod = Unmarked(service, settings, replica, node);
        pod.Metadata.Labels[Labels.TemplateHash] = ReplicaHash(service, settings);
        return pod;
    }

    /// <summary>The pod of the gateway.</summary>
    public static V1Pod Gateway(InferenceService service, PodSettings settings)
    {
        var pod = new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = ServiceMetadata.Of(service, Names.Gateway(service.Metadata.Name)),
            Spec = new V1PodSpec
            {
                RestartPolicy = "Always",
                ServiceAccountName = Names.Gateway(service.Metadata.Name),
                AutomountServiceAccountToken = true,
                EnableServiceLinks = false,
                TerminationGracePeriodSeconds = Seconds(service.Drain + Margin),
                Tolerations = [Lost("not-ready"), Lost("unreachable")],
                Containers = [GatewayProgram.Gateway(service, settings)],
                Volumes = [GatewayProgram.Token(service), .. GatewayProgram.ApiKeys(service)],
            },
        };
        pod.Metadata.Labels[Labels.Component] = Labels.GatewayComponent;
        pod.Metadata.Labels[Labels.TemplateHash] = Hash(pod);
        return pod;
    }

    /// <summary>Tells pods of one template from those of another: the same for all replicas.</summary>
    public static string ReplicaHash(InferenceService service, PodSettings settings) =>
        Hash([.. Enumerable.Range(0, Math.Min(service.NodesPerReplica, 2)).Select(node => Unmarked(service, settings, 0, node))]);

    /// <summary>The same for the gateway.</summary>
    public static string GatewayHash(InferenceService service, PodSettings settings) => Gateway(service, settings).Metadata.Labels[Labels.TemplateHash];

    private static V1Pod Unmarked(InferenceService service, PodSettings settings, int replica, int node)
    {
        var pod = new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = ServiceMetadata.Of(service, Names.ReplicaPod(service.Metadata.Name, replica, node)),
            Spec = Spec(service, settings, replica, node),
        };
        pod.Metadata.Labels[Labels.Component] = Labels.ReplicaComponent;
        pod.Metadata.Labels[Labels.Replica] = Text(replica);
        pod.Metadata.Labels[Labels.Rank] = Text(node);
        if (service.Spec.PodTemplate is not { Count: > 0 } overlay) return pod;
        return Problem(service) is { } problem ? throw new LaunchRefusedException(problem) : PodOverlay.Apply(overlay, pod);
    }

    private static V1PodSpec Spec(InferenceService service, PodSettings settings, int replica, int node)
    {
        var accelerators = service.Spec.Resources?.Accelerators is { } text ? Accelerators.Parse(text) : null;
        var volumes = EngineVolumes.Of(service, accelerators?.Count ?? 0).ToList();
        var isLeader = node == 0;
        return new V1PodSpec
        {
            // The nodes of one engine live and die together; an engine by itself is started again in place.
            RestartPolicy = service.NodesPerReplica > 1 ? "Never" : "Always",
            SchedulingGates = [new V1PodSchedulingGate { Name = Names.AdmissionGate }],
            ReadinessGates = isLeader ? [new V1PodReadinessGate { ConditionType = Names.WeightsGate }] : null,
            Hostname = Names.ReplicaPod(service.Metadata.Name, replica, node),
            Subdomain = service.NodesPerReplica > 1 ? Names.NodesService(service.Metadata.Name) : Names.ReplicasService(service.Metadata.Name),
            NodeSelector = accelerators is null ? null : new Dictionary<string, string> { [Labels.Accelerator] = accelerators.Name },
            Tolerations = [Lost("not-ready"), Lost("unreachable")],
            TerminationGracePeriodSeconds = Seconds(service.PreStop + service.Drain + Margin),
            EnableServiceLinks = false,
            AutomountServiceAccountToken = false,
            InitContainers = isLeader ? [GatewayProgram.Filter(service, settings)] : null,
            Containers = [EngineContainer.Build(service, settings, replica, node, accelerators, volumes.Select(volume => volume.Mount))],
            Volumes = [.. volumes.Select(volume => volume.Volume), .. isLeader ? [GatewayProgram.Token(service)] : Array.Empty<V1Volume>()],
        };
    }

    // A lost node is given up sooner than Kubernetes' own 300 s.
    private static V1Toleration Lost(string taint) => new() { Key = $"node.kubernetes.io/{taint}", OperatorProperty = "Exists", Effect = "NoExecute", TolerationSeconds = 30 };

    private static long Seconds(TimeSpan time) => (long)Math.Ceiling(time.TotalSeconds);

    private static string Hash(params V1Pod[] pods) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', pods.Select(pod => KubernetesJson.Serialize(pod))))))[..HashLength];
}
