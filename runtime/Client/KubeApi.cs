using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Trestle.Runtime;

/// <summary><see cref="IKubeApi"/> over the transport and the credentials of KubernetesClient.</summary>
/// <param name="client">Transport and credentials; disposed with this.</param>
/// <param name="time">Clock of the limit on answers.</param>
/// <param name="contexts">Wire format of our own classes.</param>
public sealed class KubeApi(Kubernetes client, TimeProvider time, params IReadOnlyList<JsonSerializerContext> contexts) : IKubeApi, IApiDiscovery, IDisposable
{
    private const int PageSize = 500;
    private const int WatchSeconds = 300;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);
    private readonly WireFormat _format = new(contexts);

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    /// <inheritdoc/>
    public async Task<T?> FindAsync<T>(ObjectKey key, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            return _format.Read<T>(await SendAsync(HttpMethod.Get, ResourceKind.Of<T>().ObjectPath(key), null, "", ct));
        }
        catch (KubeApiException error) when (error.IsNotFound)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async Task<KubeList<T>> ListAsync<T>(Selection selection, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var items = new List<T>();
        var path = $"{ResourceKind.Of<T>().CollectionPath(selection.Namespace)}?limit={PageSize}{Query(selection)}";
        var next = "";
        string version;
        do
        {
            var page = await SendAsync(HttpMethod.Get, next.Length == 0 ? path : $"{path}&continue={Uri.EscapeDataString(next)}", null, "", ct);
            (version, next) = ListReader.Read(page, _format, items);
        }
        while (next.Length > 0);
        return new KubeList<T>(items, version);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(Selection selection, string resourceVersion, [EnumeratorCancellation] CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var path = $"{ResourceKind.Of<T>().CollectionPath(selection.Namespace)}?watch=1&allowWatchBookmarks=true&timeoutSeconds={WatchSeconds}"
            + $"&resourceVersion={Uri.EscapeDataString(resourceVersion)}{Query(selection)}";
        using var answer = await LimitedAsync(limited => AnswerAsync(HttpMethod.Get, path, null, "", limited), ct);
        await using var body = await answer.Content.ReadAsStreamAsync(ct);
        await foreach (var change in WatchReader.ReadAsync<T>(body, _format, ct)) yield return change;
    }

    /// <inheritdoc/>
    public Task<T> CreateAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync<T>(HttpMethod.Post, ResourceKind.Of<T>().CollectionPath(item.Metadata.NamespaceProperty), Body(item), "application/json", ct);

    /// <inheritdoc/>
    public Task<T> ReplaceAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync<T>(HttpMethod.Put, ResourceKind.Of<T>().ObjectPath(item.Key()), Body(item), "application/json", ct);

    /// <inheritdoc/>
    public Task<T> ReplaceStatusAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        WriteAsync<T>(HttpMethod.Put, ResourceKind.Of<T>().ObjectPath(item.Key(), "status"), Body(item), "application/json", ct);

    /// <inheritdoc/>
    public Task<T> PatchAsync<T>(ObjectKey key, Patch patch, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (patch is { Kind: PatchKind.Apply, FieldManager: null }) throw new ArgumentException("an apply needs a field manager", nameof(patch));
        var query = patch.FieldManager is null ? "" : $"?fieldManager={Uri.EscapeDataString(patch.FieldManager)}";
        var (type, force) = patch.Kind switch
        {
            PatchKind.Merge => ("application/merge-patch+json", ""),
            PatchKind.Json => ("application/json-patch+json", ""),
            _ => ("application/apply-patch+yaml", "&force=true"),
        };
        return WriteAsync<T>(HttpMethod.Patch, ResourceKind.Of<T>().ObjectPath(key, patch.Subresource) + query + force, Utf8(patch.Body), type, ct);
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync<T>(ObjectKey key, Deletion deletion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var options = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "DeleteOptions", ["propagationPolicy"] = deletion.Propagation };
        if (deletion.GraceSeconds is { } grace) options["gracePeriodSeconds"] = grace;
        if (deletion.Uid is { } uid) options["preconditions"] = new JsonObject { ["uid"] = uid };
        try
        {
            await SendAsync(HttpMethod.Delete, ResourceKind.Of<T>().ObjectPath(key), Utf8(options), "application/json", ct);
            return true;
        }
        catch (KubeApiException error) when (error.IsNotFound)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async Task<JsonNode?> PostAsync<T>(ObjectKey key, string subresource, JsonNode body, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        JsonNode.Parse(await SendAsync(HttpMethod.Post, ResourceKind.Of<T>().ObjectPath(key, subresource), Utf8(body), "application/json", ct));

    /// <inheritdoc/>
    public async Task<IReadOnlySet<string>> ResourcesAsync(string group, string version, CancellationToken ct)
    {
        try
        {
            var list = JsonNode.Parse(await SendAsync(HttpMethod.Get, $"apis/{Uri.EscapeDataString(group)}/{Uri.EscapeDataString(version)}", null, "", ct));
            return (list?["resources"] as JsonArray ?? []).Select(resource => (string?)resource?["name"]).OfType<string>().ToHashSet(StringComparer.Ordinal);
        }
        catch (KubeApiException error) when (error.IsNotFound)
        {
            return new HashSet<string>(StringComparer.Ordinal);
        }
    }

    private static byte[] Utf8(JsonNode body) => Encoding.UTF8.GetBytes(body.ToJsonString());

    private static string Query(Selection selection) =>
        (selection.Labels is null ? "" : "&labelSelector=" + Uri.EscapeDataString(selection.Labels))
        + (selection.Fields is null ? "" : "&fieldSelector=" + Uri.EscapeDataString(selection.Fields));

    // Servers leave apiVersion and kind out of the items of lists, and want them back for custom resources.
    private byte[] Body<T>(T item)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var kind = ResourceKind.Of<T>();
        item.ApiVersion ??= kind.ApiVersion;
        item.Kind ??= kind.Kind;
        return _format.Write(item);
    }

    private async Task<T> WriteAsync<T>(HttpMethod method, string path, byte[] body, string type, CancellationToken ct)
        where T : class => _format.Read<T>(await SendAsync(method, path, body, type, ct));

    private Task<byte[]> SendAsync(HttpMethod method, string path, byte[]? body, string type, CancellationToken ct) => LimitedAsync(
        async limited =>
        {
            using var answer = await AnswerAsync(method, path, body, type, limited);
            return await answer.Content.ReadAsByteArrayAsync(limited);
        },
        ct);

    private async Task<T> LimitedAsync<T>(Func<CancellationToken, Task<T>> send, CancellationToken ct)
    {
        using var silence = new CancellationTokenSource(AnswerLimit, time);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct, silence.Token);
        try
        {
            return await send(limited.Token);
        }
        catch (OperationCanceledException error) when (!ct.IsCancellationRequested)
        {
            throw new HttpRequestException($"no answer from {client.BaseUri.Authority} within {AnswerLimit.TotalSeconds:0} s", error);
        }
    }

    private async Task<HttpResponseMessage> AnswerAsync(HttpMethod method, string path, byte[]? body, string type, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, new Uri(client.BaseUri, path)) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        }

        if (client.Credentials is { } credentials) await credentials.ProcessHttpRequestAsync(request, ct);
        var answer = await client.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (answer.IsSuccessStatusCode) return answer;
        using (answer)
        {
            var wait = answer.Headers.RetryAfter?.Delta;
            throw StatusReader.Error(answer.StatusCode, await answer.Content.ReadAsByteArrayAsync(ct), wait);
        }
    }
}
