using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Logs;
using Trestle.Runtime;
using WatchEventType = Trestle.Runtime.WatchEventType;

namespace Trestle.Bridge.Tests.Fakes;

/// <summary>An API server in memory: versions, generations, conflicts, finalizers, watches. No validation.</summary>
internal sealed class MemoryApi : IKubeApi
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Plural, ObjectKey Key), JsonObject> _objects = [];
    private readonly List<(string Plural, WatchEventType Type, JsonObject Item)> _events = [];
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Status writes of SlurmJobs so far.</summary>
    public int StatusWrites { get; private set; }

    public Task<T?> FindAsync<T>(ObjectKey key, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Task.FromResult(Find<T>(key));

    public T? Find<T>(ObjectKey key)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        lock (_lock) return _objects.TryGetValue((Plural<T>(), key), out var found) ? Read<T>(found) : null;
    }

    public Task<KubeList<T>> ListAsync<T>(Selection selection, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        lock (_lock) return Task.FromResult(new KubeList<T>([.. _objects.Where(pair => pair.Key.Plural == Plural<T>()).Select(pair => Read<T>(pair.Value))], $"{_events.Count}"));
    }

    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(Selection selection, string resourceVersion, [EnumeratorCancellation] CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        for (var at = int.Parse(resourceVersion); ;)
        {
            Task news;
            List<WatchEvent<T>> due = [];
            lock (_lock)
            {
                news = _news.Task;
                for (; at < _events.Count; at++)
                {
                    if (_events[at].Plural == Plural<T>()) due.Add(new WatchEvent<T>(_events[at].Type, Read<T>(_events[at].Item), $"{at + 1}"));
                }
            }

            foreach (var change in due) yield return change;
            if (due.Count == 0) await news.WaitAsync(ct);
        }
    }

    /// <summary>Who the bearer of a token is, and for which audience it is good.</summary>
    public Func<string, (string User, string Audience)?> Tokens { get; set; } = _ => null;

    /// <summary>How often a token was asked about.</summary>
    public int TokenReviews { get; private set; }

    public Task<T> CreateAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => item is TokenReview review ? Task.FromResult((T)(object)Answer(review)) : Change(Plural<T>(), item.Key(), known =>
    {
        if (known is not null) throw new KubeApiException(HttpStatusCode.Conflict, "AlreadyExists", "it is there already");
        var made = Write(item);
        made["metadata"]!["uid"] ??= $"{Guid.NewGuid()}";
        made["metadata"]!["generation"] = 1;
        return Put<T>(item.Key(), made, WatchEventType.Added);
    });

    private TokenReview Answer(TokenReview review)
    {
        TokenReviews++;
        review.Status = Tokens(review.Spec.Token) is var (user, audience) && review.Spec.Audiences.Contains(audience)
            ? new V1TokenReviewStatus { Authenticated = true, Audiences = [audience], User = new V1UserInfo { Username = user } }
            : new V1TokenReviewStatus { Authenticated = false };
        return review;
    }

    public Task<T> ReplaceAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Change(Plural<T>(), item.Key(), known =>
    {
        Check(known, Write(item)["metadata"]);
        return Put<T>(item.Key(), Write(item), WatchEventType.Modified);
    });

    public Task<T> ReplaceStatusAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Change(Plural<T>(), item.Key(), known =>
    {
        Check(known, Write(item)["metadata"]);
        if (item is SlurmJob) StatusWrites++;
        known!["status"] = Write(item)["status"]?.DeepClone();
        return Put<T>(item.Key(), known, WatchEventType.Modified);
    });

    public Task<T> PatchAsync<T>(ObjectKey key, Patch patch, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Change(Plural<T>(), key, known =>
    {
        Check(known, patch.Body["metadata"]);
        var patched = (JsonObject)Merge(known, patch.Body)!;
        if (patch.Body["spec"] is not null) patched["metadata"]!["generation"] = known!["metadata"]!["generation"]!.GetValue<int>() + 1;
        return Put<T>(key, patched, WatchEventType.Modified);
    });

    public Task<bool> DeleteAsync<T>(ObjectKey key, Deletion deletion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Change(Plural<T>(), key, known =>
    {
        if (known is null) return false;
        known["metadata"]!["deletionTimestamp"] ??= "2026-11-26T12:00:00Z";
        Put<T>(key, known, WatchEventType.Modified);
        return true;
    });

    public Task<JsonNode?> PostAsync<T>(ObjectKey key, string subresource, JsonNode body, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    private static string Plural<T>() => ResourceKind.Of<T>().Plural;

    private Task<TResult> Change<TResult>(string plural, ObjectKey key, Func<JsonObject?, TResult> change)
    {
        lock (_lock)
        {
            try
            {
                var found = _objects.GetValueOrDefault((plural, key));
                return Task.FromResult(change((JsonObject?)found?.DeepClone()));
            }
            catch (KubeApiException error)
            {
                return Task.FromException<TResult>(error);
            }
        }
    }

    private T Put<T>(ObjectKey key, JsonObject item, WatchEventType type)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        item["metadata"]!["resourceVersion"] = $"{_events.Count + 1}";
        var isGone = item["metadata"]!["deletionTimestamp"] is not null && item["metadata"]!["finalizers"] is not JsonArray { Count: > 0 };
        if (isGone) _objects.Remove((Plural<T>(), key));
        else _objects[(Plural<T>(), key)] = item;
        _events.Add((Plural<T>(), isGone ? WatchEventType.Deleted : type, (JsonObject)item.DeepClone()));
        var told = _news;
        _news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        told.TrySetResult();
        return Read<T>(item);
    }

    private static void Check(JsonObject? known, JsonNode? wanted)
    {
        if (known is null) throw new KubeApiException(HttpStatusCode.NotFound, "NotFound", "there is no such object");
        if (wanted?["resourceVersion"]?.GetValue<string>() is { } version && known["metadata"]!["resourceVersion"]!.GetValue<string>() != version)
            throw new KubeApiException(HttpStatusCode.Conflict, "Conflict", "it changed");
    }

    private static JsonNode? Merge(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes) return patch?.DeepClone();
        var merged = target is JsonObject known ? (JsonObject)known.DeepClone() : [];
        foreach (var (name, value) in changes)
        {
            if (value is null) merged.Remove(name);
            else merged[name] = Merge(merged[name], value);
        }

        return merged;
    }

    private static JsonObject Write<T>(T item) => (JsonObject)JsonNode.Parse(Info<T>() is { } info ? JsonSerializer.Serialize(item, info) : KubernetesJson.Serialize(item))!;

    private static T Read<T>(JsonObject item)
        where T : class => Info<T>() is { } info ? item.Deserialize(info)! : KubernetesJson.Deserialize<T>(item.ToJsonString());

    private static JsonTypeInfo<T>? Info<T>() => TrestleJson.Default.GetTypeInfo(typeof(T)) as JsonTypeInfo<T>;
}
