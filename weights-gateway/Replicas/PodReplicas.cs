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
        var engine = status.ContainerStatuses?.FirstOrDefault(container => container.Name == EngineContainer);
        var gate = status.Conditions?.FirstOrDefault(condition => condition.Type == Names.WeightsGate)?.Status;
        return new Replica(pod.Metadata.Name, ordinal, new Instance(pod.Metadata.Uid, engine?.RestartCount ?? 0), At(address, PublicPort), At(address, ControlPort))
        {
            IsDraining = pod.IsDeleting(),
            Trouble = (engine?.State?.Terminated ?? engine?.LastState?.Terminated) is { } ended ? Told(ended) : null,
            Gate = gate is null ? null : gate == "True",
        };
    }

    // Of the kubelet, for an engine that left no message of its own: the end of its output.
    private static string Told(V1ContainerStateTerminated ended)
    {
        var how = $"its engine ended with exit code {ended.ExitCode}{(ended.Reason is { Length: > 0 } and not "Error" ? $" ({ended.Reason})" : "")}";
        return string.IsNullOrWhiteSpace(ended.Message) ? how : $"{how}: {PlainText.Of(ended.Message)}";
    }

    private static Uri At(string address, int port) => new UriBuilder(Uri.UriSchemeHttp, address, port).Uri;
}
