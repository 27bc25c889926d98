using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Fakes;

/// <summary>An API server in memory: resource versions, conflicts, preconditions, finalizers, graceful pods, owners. No watches and no validation.</summary>
internal sealed class FakeKubeApi(TimeProvider time) : IKubeApi
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Plural, ObjectKey Key), JsonObject> _objects = [];
    private int _version;

    /// <summary>Called before every change with its verb and resource; may throw, and then the change is not made.</summary>
    public Action<string, string>? Intercept { get; set; }

    public int Requests { get; private set; }

    public Task<T?> FindAsync<T>(ObjectKey key, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Task.FromResult(Find<T>(key));

    public Task<KubeList<T>> ListAsync<T>(Selection selection, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Task.FromResult(new KubeList<T>(All<T>(), $"{_version}"));

    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(Selection selection, string resourceVersion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<JsonNode?> PostAsync<T>(ObjectKey key, string subresource, JsonNode body, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<T> CreateAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Change<T, T>("create", item.Key(), known =>
    {
        if (known is not null) throw new KubeApiException(HttpStatusCode.Conflict, "AlreadyExists", $"{item.Key()} is there already");
        var made = Json.Write(item);
        var metadata = made["metadata"]!.AsObject();
        metadata["uid"] ??= $"uid-{_version}";
        metadata["generation"] = 1;
        metadata["creationTimestamp"] = Now();
        return Put<T>(item.Key(), made);
    });

    public Task<T> ReplaceAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Change<T, T>("replace", item.Key(), known =>
    {
        Check(known, Json.Write(item)["metadata"]);
        return Put<T>(item.Key(), Json.Write(item));
    });

    public Task<T> ReplaceStatusAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Change<T, T>("status", item.Key(), known =>
    {
        Check(known, Json.Write(item)["metadata"]);
        known!["status"] = Json.Write(item)["status"]?.DeepClone();
        return Put<T>(item.Key(), known);
    });

    public Task<T> PatchAsync<T>(ObjectKey key, Patch patch, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Change<T, T>("patch", key, known =>
    {
        // An apply of one manager alone is a merge, as far as nothing is taken away.
        if (patch.Kind == PatchKind.Json) throw new NotSupportedException("merge patches and applies alone");
        Check(known, patch.Body["metadata"]);
        var patched = (JsonObject)Json.Merge(known, patch.Body)!;
        return Put<T>(key, patched);
    });

    public Task<bool> DeleteAsync<T>(ObjectKey key, Deletion deletion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Change<T, bool>("delete", key, known =>
    {
        if (known is null) return false;
        if (deletion.Uid is { } uid && known["metadata"]!["uid"]!.GetValue<string>() != uid) throw new KubeApiException(HttpStatusCode.Conflict, "Conflict", "another uid");
        known["metadata"]!["deletionTimestamp"] ??= Now();
        Put<T>(key, known);
        return true;
    });

    /// <summary>Lets a pod that was told to end go at last.</summary>
    public void Remove<T>(ObjectKey key)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        lock (_lock) _objects.Remove((ResourceKind.Of<T>().Plural, key));
    }

    public T? Find<T>(ObjectKey key)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        lock (_lock) return _objects.TryGetValue((ResourceKind.Of<T>().Plural, key), out var found) ? Json.Read<T>(found) : null;
    }

    public IReadOnlyList<T> All<T>()
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        lock (_lock) return [.. _objects.Where(pair => pair.Key.Plural == ResourceKind.Of<T>().Plural).Select(pair => Json.Read<T>(pair.Value))];
    }

    private Task<TResult> Change<T, TResult>(string verb, ObjectKey key, Func<JsonObject?, TResult> change)
    {
        lock (_lock)
        {
            Requests++;
            var plural = ResourceKind.Of<T>().Plural;
            try
            {
                Intercept?.Invoke(verb, plural);
                return Task.FromResult(change(_objects.TryGetValue((plural, key), out var known) ? (JsonObject)known.DeepClone() : null));
            }
            catch (Exception error)
            {
                return Task.FromException<TResult>(error);
            }
        }
    }

    private T Put<T>(ObjectKey key, JsonObject item)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var plural = ResourceKind.Of<T>().Plural;
        item["metadata"]!["resourceVersion"] = $"{++_version}";
        _objects[(plural, key)] = item;
        var read = Json.Read<T>(item);
        if (read.Metadata.DeletionTimestamp is not null && read.Metadata.Finalizers is not { Count: > 0 } && !RunsSomewhere(plural, item)) Drop(plural, key, read.Metadata.Uid);
        return read;
    }

    private static bool RunsSomewhere(string plural, JsonObject item) => plural == "pods" && item["spec"]?["nodeName"] is not null;

    private void Drop(string plural, ObjectKey key, string uid)
    {
        _objects.Remove((plural, key));
        var orphans = _objects.Where(pair => pair.Value["metadata"]!["ownerReferences"]?.AsArray().Any(owner => owner!["uid"]!.GetValue<string>() == uid) == true);
        foreach (var orphan in orphans.Select(pair => pair.Key).ToList()) _objects.Remove(orphan);
    }

    private static void Check(JsonObject? known, JsonNode? wanted)
    {
        if (known is null) throw new KubeApiException(HttpStatusCode.NotFound, "NotFound", "there is no such object");
        foreach (var field in (string[])["resourceVersion", "uid"])
        {
            if (wanted?[field]?.GetValue<string>() is { } value && known["metadata"]![field]!.GetValue<string>() != value)
                throw new KubeApiException(HttpStatusCode.Conflict, "Conflict", $"{field} is another one");
        }
    }

    private string Now() => time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ");

    private static class Json
    {
        public static JsonObject Write<T>(T item) => (JsonObject)JsonNode.Parse(Info<T>() is { } info ? JsonSerializer.Serialize(item, info) : KubernetesJson.Serialize(item))!;

        public static T Read<T>(JsonObject item)
            where T : class => Info<T>() is { } info ? item.Deserialize(info)! : KubernetesJson.Deserialize<T>(item.ToJsonString());

        public static JsonNode? Merge(JsonNode? target, JsonNode? patch)
        {
            if (patch is not JsonObject changes) return patch?.DeepClone();
            var merged = target as JsonObject is { } known ? (JsonObject)known.DeepClone() : [];
            foreach (var (name, value) in changes)
            {
                if (value is null) merged.Remove(name);
                else merged[name] = Merge(merged[name], value);
            }

            return merged;
        }

        private static System.Text.Json.Serialization.Metadata.JsonTypeInfo<T>? Info<T>() =>
            (TrestleJson.Default.GetTypeInfo(typeof(T)) ?? OperatorJson.Default.GetTypeInfo(typeof(T))) as System.Text.Json.Serialization.Metadata.JsonTypeInfo<T>;
    }
}
