using System.Globalization;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Runtime;

namespace Trestle.WeightsGateway.Replicas;

/// <summary>Leader pods of a service as replicas.</summary>
/// <param name="pods">Their cache.</param>
public sealed class PodReplicas(IObjectCache<V1Pod> pods) : IReplicaSource
{
    /// <summary>Container of the engine.</summary>
    public const string EngineContainer = "engine";

    private const int PublicPort = 8080;
    private const int ControlPort = 8081;

    /// <inheritdoc/>
    public IReadOnlyList<Replica> Replicas => [.. pods.Items.Select(Of).OfType<Replica>().OrderBy(replica => replica.Ordinal)];

    /// <summary>Which pods are looked at.</summary>
    public static Selection Selection(ObjectKey service) =>
        new(service.Namespace, $"{Labels.Service}={service.Name},app.kubernetes.io/component=replica,{Labels.Rank}=0");

    /// <summary>Null when it has no address yet, has ended, or has no ordinal.</summary>
    public static Replica? Of(V1Pod pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        if (pod.Status is not { PodIP: { Length: > 0 } address } status || status.Phase is "Failed" or "Succeeded") return null;
        if (!int.TryParse(pod.Label(Labels.Replica), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal)) return null;
        var restarts = status.ContainerStatuses?.FirstOrDefault(container => container.Name == EngineContainer)?.RestartCount ?? 0;
        var gate = status.Conditions?.FirstOrDefault(condition => condition.Type == Names.WeightsGate)?.Status;
        return new Replica(pod.Metadata.Name, ordinal, new Instance(pod.Metadata.Uid, restarts), At(address, PublicPort), At(address, ControlPort))
        {
            IsDraining = pod.IsDeleting(),
            Gate = gate is null ? null : gate == "True",
        };
    }

    private static Uri At(string address, int port) => new UriBuilder(Uri.UriSchemeHttp, address, port).Uri;
}
