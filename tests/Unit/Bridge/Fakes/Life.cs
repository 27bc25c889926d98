using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Bridge.Login;
using Trestle.Runtime;

namespace Trestle.Bridge.Tests.Fakes;

/// <summary>
/// One life of a bridge in the same process: after its death nothing it does reaches the API server or the login node any more, as if it
/// had been killed; scripts that were on their way run to their end, and nobody hears them.
/// </summary>
internal sealed class Life(IKubeApi api, ILoginNodes nodes) : IKubeApi, ILoginNodes, ILoginNode
{
    private readonly ILoginNode _node = nodes.Of(null!);
    private volatile bool _isDead;

    public bool IsDead => _isDead;

    /// <summary>Ends it here: what comes after the call is not done.</summary>
    public void Die()
    {
        _isDead = true;
        Check();
    }

    public ILoginNode Of(ClusterLogin login) => this;

    public async Task<CommandOutput> RunAsync(string script, CancellationToken ct)
    {
        Check();
        var output = await _node.RunAsync(script, ct);
        Check();
        return output;
    }

    public Task<T?> FindAsync<T>(ObjectKey key, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => WhileAlive(() => api.FindAsync<T>(key, ct));

    public Task<KubeList<T>> ListAsync<T>(Selection selection, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => WhileAlive(() => api.ListAsync<T>(selection, ct));

    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(Selection selection, string resourceVersion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => api.WatchAsync<T>(selection, resourceVersion, ct);

    public Task<T> CreateAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => WhileAlive(() => api.CreateAsync(item, ct));

    public Task<T> ReplaceAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => WhileAlive(() => api.ReplaceAsync(item, ct));

    public Task<T> ReplaceStatusAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => WhileAlive(() => api.ReplaceStatusAsync(item, ct));

    public Task<T> PatchAsync<T>(ObjectKey key, Patch patch, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => WhileAlive(() => api.PatchAsync<T>(key, patch, ct));

    public Task<bool> DeleteAsync<T>(ObjectKey key, Deletion deletion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => WhileAlive(() => api.DeleteAsync<T>(key, deletion, ct));

    public Task<JsonNode?> PostAsync<T>(ObjectKey key, string subresource, JsonNode body, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => WhileAlive(() => api.PostAsync<T>(key, subresource, body, ct));

    private async Task<T> WhileAlive<T>(Func<Task<T>> call)
    {
        Check();
        return await call();
    }

    private void Check()
    {
        if (_isDead) throw new HttpRequestException("this bridge is dead");
    }
}
