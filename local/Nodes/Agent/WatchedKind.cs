using System.Text.Json;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Trestle.Local.Nodes.Agent;

/// <summary>Keeps a copy of all objects of one kind by list and watch; lists again when the watch is lost or too old.</summary>
internal sealed class WatchedKind<T>(KubeConnection api, string path, TimeProvider time, ILogger log)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(150);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, T> _objects = [];
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public event Action<T>? Changed;

    public event Action<T>? Gone;

    public Task Synced => _synced.Task;

    public IReadOnlyCollection<T> Objects
    {
        get
        {
            lock (_lock) return [.. _objects.Values];
        }
    }

    public async Task RunAsync(CancellationToken ct)
    {
        string? version = null;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                version ??= await ListAsync(ct);
                _synced.TrySetResult();
                version = await WatchAsync(version, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (NodeApiErrors.IsPassing(e) || e is JsonException)
            {
                if (e is KubeAnswerException or JsonException) version = null;
                if (e is not OperationCanceledException) NodeLog.WatchLost(log, path, e.Message);
                await Task.Delay(Pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<string> ListAsync(CancellationToken ct)
    {
        var list = await api.FindAsync(path, ct) ?? throw new KubeAnswerException(404, "NotFound", $"{path} is not served");
        var items = (list["items"]?.AsArray() ?? []).Select(i => KubernetesJson.Deserialize<T>(i!.ToJsonString())).ToList();
        var alive = items.Select(i => i.Metadata.Uid).ToHashSet();
        List<T> gone;
        lock (_lock) gone = [.. _objects.Values.Where(o => !alive.Contains(o.Metadata.Uid))];
        foreach (var item in gone) Remove(item);
        foreach (var item in items) Put(item);
        return (string?)list["metadata"]?["resourceVersion"] ?? "0";
    }

    private async Task<string> WatchAsync(string version, CancellationToken ct)
    {
        using var quiet = CancellationTokenSource.CreateLinkedTokenSource(ct);
        quiet.CancelAfter(Silence);
        using var answer = await api.StreamAsync($"{path}?watch=1&allowWatchBookmarks=true&timeoutSeconds=120&resourceVersion={version}", quiet.Token);
        await using var body = await answer.Content.ReadAsStreamAsync(quiet.Token);
        using var reader = new StreamReader(body);
        while (await reader.ReadLineAsync(quiet.Token) is { } line)
        {
            quiet.CancelAfter(Silence);
            using var json = JsonDocument.Parse(line);
            var type = json.RootElement.GetProperty("type").GetString();
            var item = json.RootElement.GetProperty("object");
            if (type == "ERROR") throw new KubeAnswerException(item.TryGetProperty("code", out var code) ? code.GetInt32() : 500, "", item.TryGetProperty("message", out var m) ? m.GetString() ?? "" : "");
            version = item.GetProperty("metadata").GetProperty("resourceVersion").GetString() ?? version;
            if (type is "BOOKMARK") continue;
            var parsed = KubernetesJson.Deserialize<T>(item.GetRawText());
            if (type == "DELETED") Remove(parsed);
            else Put(parsed);
        }

        return version;
    }

    private void Put(T item)
    {
        lock (_lock)
        {
            if (_objects.TryGetValue(item.Metadata.Uid, out var old) && old.Metadata.ResourceVersion == item.Metadata.ResourceVersion) return;
            _objects[item.Metadata.Uid] = item;
        }

        Changed?.Invoke(item);
    }

    private void Remove(T item)
    {
        lock (_lock)
        {
            if (!_objects.Remove(item.Metadata.Uid)) return;
        }

        Gone?.Invoke(item);
    }
}
