using System.Globalization;
using k8s.Models;

namespace Trestle.Local.Nodes.Containers;

/// <summary>Values of the downward API: <c>fieldRef</c> and <c>resourceFieldRef</c>.</summary>
public static class FieldPaths
{
    /// <summary>Value of a field of the pod. Throws <see cref="ContainerConfigException"/> for a path the API has not got.</summary>
    public static string Field(V1Pod pod, string path, string podAddress, string hostAddress) => path switch
    {
        "metadata.name" => pod.Metadata.Name,
        "metadata.namespace" => pod.Metadata.NamespaceProperty,
        "metadata.uid" => pod.Metadata.Uid,
        "metadata.labels" => Lines(pod.Metadata.Labels),
        "metadata.annotations" => Lines(pod.Metadata.Annotations),
        "spec.nodeName" => pod.Spec.NodeName ?? "",
        "spec.serviceAccountName" => pod.Spec.ServiceAccountName ?? "default",
        "status.podIP" or "status.podIPs" => podAddress,
        "status.hostIP" or "status.hostIPs" => hostAddress,
        _ when Key(path, "metadata.labels") is { } label => pod.Metadata.Labels?.TryGetValue(label, out var value) == true ? value : "",
        _ when Key(path, "metadata.annotations") is { } annotation => pod.Metadata.Annotations?.TryGetValue(annotation, out var value) == true ? value : "",
        _ => throw new ContainerConfigException($"fieldRef {path} is not a field of a pod that containers may read"),
    };

    /// <summary>Value of a resource request or limit, divided and rounded up as Kubernetes does.</summary>
    public static string Resource(V1Pod pod, V1ResourceFieldSelector selector, string container)
    {
        var name = selector.ContainerName ?? container;
        var found = pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []).FirstOrDefault(c => c.Name == name)
            ?? throw new ContainerConfigException($"resourceFieldRef names the container {name}, which the pod has not got");
        var (kind, resource) = selector.Resource.Split('.', 2) is [var k, var r] ? (k, r) : throw new ContainerConfigException($"resourceFieldRef {selector.Resource} must be limits.NAME or requests.NAME");
        var values = kind == "limits" ? found.Resources?.Limits : found.Resources?.Requests;
        var amount = values?.TryGetValue(resource, out var quantity) == true ? quantity.ToDecimal() : 0;
        var divisor = selector.Divisor?.ToDecimal() is { } d and > 0 ? d : 1;
        return Math.Ceiling(amount / divisor).ToString(CultureInfo.InvariantCulture);
    }

    private static string? Key(string path, string map) =>
        path.StartsWith(map + "['", StringComparison.Ordinal) && path.EndsWith("']", StringComparison.Ordinal) ? path[(map.Length + 2)..^2] : null;

    private static string Lines(IDictionary<string, string>? map) =>
        string.Join('\n', (map ?? new Dictionary<string, string>()).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}=\"{p.Value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""));
}
