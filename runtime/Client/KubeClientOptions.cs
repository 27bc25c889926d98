using System.Text.Json.Serialization;
using k8s;

namespace Trestle.Runtime;

/// <summary>Which API server, and as whom.</summary>
public sealed record KubeClientOptions
{
    /// <summary>Path of a kubeconfig; when null the pod's own service account, else KUBECONFIG or ~/.kube/config.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Context in it; its current one when null.</summary>
    public string? Context { get; init; }

    /// <summary>Opens a connection.</summary>
    /// <param name="time">Clock of retries.</param>
    /// <param name="contexts">Wire format of our own classes.</param>
    public KubeApi Open(TimeProvider time, params IReadOnlyList<JsonSerializerContext> contexts)
    {
        var configuration = Kubeconfig is null && KubernetesClientConfiguration.IsInCluster()
            ? KubernetesClientConfiguration.InClusterConfig()
            : KubernetesClientConfiguration.BuildConfigFromConfigFile(Kubeconfig, Context);
        return new KubeApi(new Kubernetes(configuration, new RetryHandler(time)), contexts);
    }
}
