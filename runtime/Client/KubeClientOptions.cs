using System.Text.Json.Serialization;
using k8s;

namespace Trestle.Runtime;

/// <summary>Which API server, and as whom.</summary>
public sealed record KubeClientOptions
{
    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PingLimit = TimeSpan.FromSeconds(15);

    /// <summary>Path of a kubeconfig; when null the pod's own service account, else KUBECONFIG or ~/.kube/config.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Context in it; its current one when null.</summary>
    public string? Context { get; init; }

    /// <summary>Opens a connection.</summary>
    /// <param name="time">Clock of retries and limits.</param>
    /// <param name="contexts">Wire format of our own classes.</param>
    public KubeApi Open(TimeProvider time, params IReadOnlyList<JsonSerializerContext> contexts)
    {
        var configuration = Kubeconfig is null && KubernetesClientConfiguration.IsInCluster()
            ? KubernetesClientConfiguration.InClusterConfig()
            : KubernetesClientConfiguration.BuildConfigFromConfigFile(Kubeconfig, Context);
        configuration.FirstMessageHandlerSetup = handler =>
        {
            // A server that went away without a word is noticed by its silence, also by a watch with nothing to tell.
            handler.KeepAlivePingDelay = PingAfter;
            handler.KeepAlivePingTimeout = PingLimit;
        };
        return new KubeApi(new Kubernetes(configuration, new RetryHandler(time)), time, contexts);
    }
}
