using k8s.Models;

namespace Trestle.Local.Nodes.Pods;

/// <summary>The host name a pod has.</summary>
public static class PodHostName
{
    /// <summary><c>spec.hostname</c>, else the pod's name cut to 63 characters.</summary>
    public static string Of(V1Pod pod) => pod.Spec.Hostname is { Length: > 0 } name ? name : pod.Metadata.Name is { Length: > 63 } longName ? longName[..63].TrimEnd('-', '.') : pod.Metadata.Name;
}
