using System.Diagnostics.CodeAnalysis;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Trestle.Runtime;

/// <summary>
/// Keeps a cache of one kind by list and watch, and tells of changes. A lost watch goes on where it stood; when that is too
/// old, everything is listed again, and what is missing from the whole list is told as deleted.
/// </summary>
/// <param name="api">The server.</param>
/// <param name="selection">Which objects.</param>
/// <param name="time">Clock of backoff and watchdog.</param>
/// <param name="log">Where lost watches are told.</param>
public sealed class Informer<T>(IKubeApi api, Selection selection, TimeProvider time, ILogger log) : IInformer
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    // Servers send bookmarks about every minute and close a watch after its timeout; longer silence is a dead connection.
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private readonly ObjectStore<T> _store = new();
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _version;
    private bool _moved;

    /// <summary>Told after the cache has it: the old state (null: new) and the new one (null: deleted). Must not block or throw.</summary>
    [SuppressMessage("Design", "MA0046", Justification = "Old and new state are all there is to tell")]
    public event Action<T?, T?>? Changed;

    /// <summary>The cache.</summary>
    public IObjectCache<T> Cache => _store;

    /// <inheritdoc/>
    public Task Synced => _synced.Task;

    /// <summary>Adds an index; before <see cref="RunAsync"/>.</summary>
    public Informer<T> WithIndex(string name, Func<T, string?> value)
    {
        _store.AddIndex(name, value);
        return this;
    }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken ct)
    {
        var kind = ResourceKind.Of<T>().Plural;
        var pause = FirstPause;
        while (!ct.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            _moved = false;
            try
            {
                if (_version is null) await ListAsync(ct);
                _synced.TrySetResult();
                await WatchAsync(ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                break;
            }
            catch (KubeApiException error) when (error.IsGone)
            {
                RuntimeLog.WatchExpired(log, kind);
                _version = null;
            }
            catch (Exception error) when (error is KubeApiException or HttpRequestException or IOException or TimeoutException or OperationCanceledException)
            {
                RuntimeLog.WatchLost(log, kind, error.Message);
            }
            catch (Exception error)
            {
                // What could not be read, or a listener that threw: nobody would notice a cache that stands still.
                RuntimeLog.WatchBroke(log, error, kind);
                _version = null;
            }

            var healthy = _moved || time.GetElapsedTime(began) > LongestPause;
            await Task.Delay(Jitter.Around(healthy ? FirstPause : pause), time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = healthy ? FirstPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task ListAsync(CancellationToken ct)
    {
        var list = await api.ListAsync<T>(selection, ct);
        var listed = list.Items.Select(item => item.Key()).ToHashSet();
        foreach (var gone in _store.Items.Where(item => !listed.Contains(item.Key()))) Remove(gone.Key());
        foreach (var item in list.Items) Put(item);
        _version = list.ResourceVersion;
    }

    private async Task WatchAsync(CancellationToken ct)
    {
        using var quiet = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await using var watchdog = time.CreateTimer(_ => quiet.Cancel(), null, Silence, Timeout.InfiniteTimeSpan);
        try
        {
            await foreach (var change in api.WatchAsync<T>(selection, _version!, quiet.Token))
            {
                watchdog.Change(Silence, Timeout.InfiniteTimeSpan);
                Take(change);
                _version = change.ResourceVersion;
                _moved = true;
            }
        }
        catch (OperationCanceledException error) when (quiet.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing came for {Silence.TotalMinutes:0} minutes", error);
        }
    }

    private void Take(WatchEvent<T> change)
    {
        if (change.Object is not { } item) return;

        // A watch that goes on from an older version tells again what is known; it must not lead back.
        if (_store.Find(item.Key()) is { } known && IsOlder(item.Metadata.ResourceVersion, known.Metadata.ResourceVersion)) return;
        if (change.Type == WatchEventType.Deleted) Remove(item.Key());
        else Put(item);
    }

    private static bool IsOlder(string version, string than) =>
        ulong.TryParse(version, out var one) && ulong.TryParse(than, out var other) && one < other;

    private void Put(T item)
    {
        // Told again by a new list: nothing new.
        if (_store.Find(item.Key()) is { } known && known.Metadata.ResourceVersion == item.Metadata.ResourceVersion && known.Metadata.Uid == item.Metadata.Uid) return;
        item.Metadata.ManagedFields = null;
        var old = _store.Put(item); // also when nobody listens
        Changed?.Invoke(old, item);
    }

    private void Remove(ObjectKey key)
    {
        if (_store.Remove(key) is { } old) Changed?.Invoke(old, null);
    }
}

/// <summary>An informer of any kind.</summary>
public interface IInformer
{
    /// <summary>Done when the first list is in the cache.</summary>
    Task Synced { get; }

    /// <summary>Lists and watches until cancelled; waits for the server as long as it takes.</summary>
    Task RunAsync(CancellationToken ct);
}
