using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Operator.Rbac;
using Trestle.Runtime;

namespace Trestle.Integration.Tests.Operators;

/// <summary>An API that refuses what the generated rules don't grant, as a real server's RBAC would; the local one has none.</summary>
internal sealed class RightsCheckedApi(IKubeApi api, string ownNamespace) : IKubeApi
{
    private readonly ConcurrentDictionary<string, int> _refused = [];
    private readonly ConcurrentDictionary<string, int> _used = [];

    /// <summary>What was asked for and not granted.</summary>
    public IReadOnlyCollection<string> Refused => [.. _refused.Keys];

    /// <summary>What was asked for and granted.</summary>
    public IReadOnlyCollection<string> Used => [.. _used.Keys];

    public Task<T?> FindAsync<T>(ObjectKey key, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Checked<T>("get", key.Namespace).FindAsync<T>(key, ct);

    public Task<KubeList<T>> ListAsync<T>(Selection selection, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Checked<T>("list", selection.Namespace).ListAsync<T>(selection, ct);

    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(Selection selection, string resourceVersion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Checked<T>("watch", selection.Namespace).WatchAsync<T>(selection, resourceVersion, ct);

    public Task<T> CreateAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Checked<T>("create", item.Metadata.NamespaceProperty).CreateAsync(item, ct);

    public Task<T> ReplaceAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Checked<T>("update", item.Metadata.NamespaceProperty).ReplaceAsync(item, ct);

    public Task<T> ReplaceStatusAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Checked<T>("update", item.Metadata.NamespaceProperty, "status").ReplaceStatusAsync(item, ct);

    public Task<T> PatchAsync<T>(ObjectKey key, Patch patch, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Checked<T>("patch", key.Namespace, patch.Subresource).PatchAsync<T>(key, patch, ct);

    public Task<bool> DeleteAsync<T>(ObjectKey key, Deletion deletion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Checked<T>("delete", key.Namespace).DeleteAsync<T>(key, deletion, ct);

    public Task<JsonNode?> PostAsync<T>(ObjectKey key, string subresource, JsonNode body, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Checked<T>("create", key.Namespace, subresource).PostAsync<T>(key, subresource, body, ct);

    private IKubeApi Checked<T>(string verb, string? ns, string? subresource = null)
    {
        var kind = ResourceKind.Of<T>();
        var resource = subresource is null ? kind.Plural : $"{kind.Plural}/{subresource}";
        var isGranted = OperatorRights.Rules.Declared.Any(right => right.Verb == verb && right.Group == kind.Group && right.Resource == resource && (!right.InOwnNamespace || ns == ownNamespace));
        (isGranted ? _used : _refused).TryAdd($"{verb} {resource}", 0);
        return isGranted ? api : throw new KubeApiException(HttpStatusCode.Forbidden, "Forbidden", $"the operator may not {verb} {resource} in {ns ?? "all namespaces"}");
    }
}
