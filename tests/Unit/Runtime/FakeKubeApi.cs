using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Trestle.Runtime.Tests;

/// <summary>An API server in memory that can lose watches, forget versions, tell things twice and refuse calls.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A source without a timer holds nothing")]
internal sealed class FakeKubeApi : IKubeApi
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Type Type, ObjectKey Key), string> _objects = [];
    private readonly List<(Type Type, long Version, WatchEventType What, string Json)> _history = [];
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource _watches = new();
    private Exception _cut = new IOException("cut");
    private long _version = 100;
    private long _oldest;

    /// <summary>Called before each call with its verb; may throw, or wait.</summary>
    public Func<string, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Called after each write was done, before its answer.</summary>
    public Func<string, CancellationToken, Task> After { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>How many versions further back than asked a watch begins.</summary>
    public long Replay { get; set; }

    public int Lists { get; private set; }

    public int Watches { get; private set; }

    /// <summary>Ends the open watches with an error.</summary>
    public void Cut(Exception error)
    {
        CancellationTokenSource open;
        lock (_lock) (_cut, open, _watches) = (error, _watches, new CancellationTokenSource());
        open.Cancel();
    }

    /// <summary>Forgets the history: a watch from before now is too old.</summary>
    public void Compact()
    {
        lock (_lock) _oldest = _version;
    }

    public static KubeApiException Expired() => new(HttpStatusCode.Gone, "Expired", "too old resource version");

    public static KubeApiException Conflict() => new(HttpStatusCode.Conflict, "Conflict", "the object has been modified");

    public static KubeApiException NotFound() => new(HttpStatusCode.NotFound, "NotFound", "not found");

    public IReadOnlyList<T> All<T>()
    {
        lock (_lock) return _objects.Where(one => one.Key.Type == typeof(T)).Select(one => KubernetesJson.Deserialize<T>(one.Value)).ToList();
    }

    /// <summary>Creates or replaces without a call, as another client would.</summary>
    public T Put<T>(T item)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        lock (_lock)
        {
            var isNew = !_objects.TryGetValue((typeof(T), item.Key()), out var old);
            item.Metadata.Uid = isNew ? Guid.NewGuid().ToString() : KubernetesJson.Deserialize<T>(old!).Metadata.Uid;
            return Write(isNew ? WatchEventType.Added : WatchEventType.Modified, item);
        }
    }

    public bool Remove<T>(ObjectKey key)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        lock (_lock)
        {
            if (!_objects.TryGetValue((typeof(T), key), out var json)) return false;
            Write(WatchEventType.Deleted, KubernetesJson.Deserialize<T>(json));
            return true;
        }
    }

    public async Task<T?> FindAsync<T>(ObjectKey key, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        await Before("get", ct);
        lock (_lock) return _objects.TryGetValue((typeof(T), key), out var json) ? KubernetesJson.Deserialize<T>(json) : null;
    }

    public async Task<KubeList<T>> ListAsync<T>(Selection selection, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        await Before("list", ct);
        lock (_lock)
        {
            Lists++;
            return new KubeList<T>(All<T>(), _version.ToString(CultureInfo.InvariantCulture));
        }
    }

    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(Selection selection, string resourceVersion, [EnumeratorCancellation] CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        await Before("watch", ct);
        var from = long.Parse(resourceVersion, CultureInfo.InvariantCulture);
        CancellationToken cut;
        lock (_lock)
        {
            if (from < _oldest) throw Expired();
            Watches++;
            cut = _watches.Token;
            from -= Replay;
        }

        while (true)
        {
            List<(Type Type, long Version, WatchEventType What, string Json)> events;
            Task news;
            lock (_lock) (events, news) = (_history.Where(one => one.Type == typeof(T) && one.Version > from).ToList(), _news.Task);
            foreach (var (_, version, what, json) in events)
            {
                from = version;
                yield return new WatchEvent<T>(what, KubernetesJson.Deserialize<T>(json), version.ToString(CultureInfo.InvariantCulture));
            }

            using var either = CancellationTokenSource.CreateLinkedTokenSource(cut, ct);
            await news.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
            if (cut.IsCancellationRequested) throw _cut;
        }
    }

    public async Task<T> CreateAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        await Before("create", ct);
        T made;
        lock (_lock)
        {
            if (_objects.ContainsKey((typeof(T), item.Key()))) throw new KubeApiException(HttpStatusCode.Conflict, "AlreadyExists", "already exists");
            made = Put(Copy(item));
        }

        await After("create", ct);
        return made;
    }

    public async Task<T> ReplaceAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        await Before("replace", ct);
        T made;
        lock (_lock)
        {
            if (!_objects.TryGetValue((typeof(T), item.Key()), out var json)) throw NotFound();
            var known = KubernetesJson.Deserialize<T>(json);
            if (item.Metadata.ResourceVersion is { } asked && asked != known.Metadata.ResourceVersion) throw Conflict();
            made = Put(Copy(item));
        }

        await After("replace", ct);
        return made;
    }

    public Task<T> ReplaceStatusAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => ReplaceAsync(item, ct);

    /// <summary>Merges top-level members.</summary>
    public async Task<T> PatchAsync<T>(ObjectKey key, Patch patch, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        await Before("patch", ct);
        T made;
        lock (_lock)
        {
            if (!_objects.TryGetValue((typeof(T), key), out var json)) throw NotFound();
            var merged = JsonNode.Parse(json)!;
            foreach (var (name, value) in patch.Body.AsObject()) merged[name] = value?.DeepClone();
            made = Put(KubernetesJson.Deserialize<T>(merged.ToJsonString()));
        }

        await After("patch", ct);
        return made;
    }

    public async Task<bool> DeleteAsync<T>(ObjectKey key, Deletion deletion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        await Before("delete", ct);
        return Remove<T>(key);
    }

    public Task<JsonNode?> PostAsync<T>(ObjectKey key, string subresource, JsonNode body, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    private static T Copy<T>(T item) => KubernetesJson.Deserialize<T>(KubernetesJson.Serialize(item));

    private T Write<T>(WatchEventType what, T item)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        item.Metadata.ResourceVersion = (++_version).ToString(CultureInfo.InvariantCulture);
        var json = KubernetesJson.Serialize(item);
        if (what == WatchEventType.Deleted) _objects.Remove((typeof(T), item.Key()));
        else _objects[(typeof(T), item.Key())] = json;
        _history.Add((typeof(T), _version, what, json));
        var news = _news;
        _news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        news.SetResult();
        return KubernetesJson.Deserialize<T>(json);
    }
}
