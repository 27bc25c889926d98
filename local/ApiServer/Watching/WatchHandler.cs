using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>
/// Watches. The bytes of an object are shared by all its watchers; only tables and partial metadata are encoded for one
/// of them.
/// </summary>
internal sealed class WatchHandler(ObjectStore store, TimeProvider time, CancellationToken stopping)
{
    public async Task WatchAsync(ApiRequest request)
    {
        var shape = Answer.ShapeOf(request.Http.Request);
        var selection = new Selection(request);
        var since = ResourceVersions.Parse(request.Query("resourceVersion"));
        var initial = WantsInitialEvents(request);
        var watcher = new Watcher { Namespace = request.Namespace, WantsBookmarks = request.Flag("allowWatchBookmarks") };
        var encoder = new WatchEncoder(request, shape, time);
        var resource = request.Resource.StorageKey;
        request.Http.Response.ContentType = Answer.JsonType;
        var writer = request.Http.Response.BodyWriter;
        try
        {
            if (initial || since is null or 0)
            {
                var (items, version) = store.ListAndWatch(resource, watcher);
                foreach (var item in items.Values.Where(selection.Matches)) await FlushWhenLargeAsync(writer, encoder.Write(writer, "ADDED", item), request.Aborted);
                if (initial && watcher.WantsBookmarks) encoder.WriteBookmark(writer, version, isInitialEnd: true);
            }
            else if (store.TryWatch(resource, watcher, since.Value) is { } oldest)
            {
                WatchEncoder.WriteError(writer, ApiException.Expired($"too old resource version: {since} ({oldest})"));
                await writer.FlushAsync(request.Aborted);
                return;
            }

            await writer.FlushAsync(request.Aborted);
            await FollowAsync(request, watcher, selection, encoder, writer);
        }
        catch (OperationCanceledException) when (request.Aborted.IsCancellationRequested || stopping.IsCancellationRequested)
        {
            // The client left, or the server stops.
        }
        finally
        {
            store.StopWatch(resource, watcher);
        }
    }

    private async Task FollowAsync(ApiRequest request, Watcher watcher, Selection selection, WatchEncoder encoder, PipeWriter writer)
    {
        var seconds = long.TryParse(request.Query("timeoutSeconds"), out var asked) && asked > 0 ? asked : Random.Shared.Next(1800, 3600);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(Math.Min(seconds, 86_400)), time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, timeout.Token, stopping);
        try
        {
            while (await watcher.Changes.WaitToReadAsync(end.Token))
            {
                while (watcher.Changes.TryRead(out var change)) await FlushWhenLargeAsync(writer, Encode(change, selection, encoder, writer), end.Token);
                await writer.FlushAsync(end.Token);
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            // The watch ends as the client asked.
        }
    }

    private static int Encode(WatchEvent change, Selection selection, WatchEncoder encoder, PipeWriter writer)
    {
        if (change.Kind == ChangeKind.Bookmark) return encoder.WriteBookmark(writer, change.ResourceVersion, isInitialEnd: false);
        var was = change.Previous is not null && selection.Matches(change.Previous);
        if (change.Kind == ChangeKind.Deleted) return was ? encoder.Write(writer, "DELETED", change.Current!) : 0;
        var isNow = selection.Matches(change.Current!);
        if (isNow) return encoder.Write(writer, was ? "MODIFIED" : "ADDED", change.Current!);
        return was ? encoder.Write(writer, "DELETED", change.Left) : 0;
    }

    private static async ValueTask FlushWhenLargeAsync(PipeWriter writer, int written, CancellationToken cancel)
    {
        if (written > 0 && writer.UnflushedBytes > 64 << 10) await writer.FlushAsync(cancel);
    }

    private static bool WantsInitialEvents(ApiRequest request)
    {
        var given = request.Query("sendInitialEvents");
        var match = request.Query("resourceVersionMatch");
        if (given is null && string.IsNullOrEmpty(match)) return false;
        List<FieldError> errors = [];
        if (given is null) errors.Add(FieldError.Forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
        else if (match != "NotOlderThan") errors.Add(FieldError.Forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
        if (errors.Count > 0) throw ApiException.Invalid("meta.k8s.io", "ListOptions", "", errors);
        return given is "true" or "1";
    }
}

/// <summary>Lines of a watch, in the shape the client asked for.</summary>
internal sealed class WatchEncoder(ApiRequest request, Shape shape, TimeProvider time)
{
    private bool _hasColumns;

    public int Write(PipeWriter writer, string type, StoredObject item) => WriteLine(writer, type, shape switch
    {
        Shape.Object => item.Json,
        Shape.Table => JsonBody.Serialize(Table(item)),
        _ => JsonBody.Serialize(TableWriter.Partial(item.Parse())),
    });

    public int WriteBookmark(PipeWriter writer, long version, bool isInitialEnd)
    {
        var metadata = new JsonObject { ["resourceVersion"] = version.ToString() };
        if (isInitialEnd) metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        var mark = new JsonObject { ["kind"] = request.Resource.Kind, ["apiVersion"] = request.Resource.ApiVersion, ["metadata"] = metadata };
        if (shape == Shape.Table) mark = new JsonObject { ["kind"] = "Table", ["apiVersion"] = "meta.k8s.io/v1", ["metadata"] = metadata.DeepClone(), ["columnDefinitions"] = null, ["rows"] = new JsonArray() };
        return WriteLine(writer, "BOOKMARK", JsonBody.Serialize(mark));
    }

    public static void WriteError(PipeWriter writer, ApiException error) => WriteLine(writer, "ERROR", JsonBody.Serialize(error.ToStatus()));

    private JsonObject Table(StoredObject item)
    {
        var metadata = new JsonObject { ["resourceVersion"] = item.ResourceVersion.ToString() };
        var table = TableWriter.Table(request.Resource, metadata, [item], request.Query("includeObject") ?? "Metadata", time.GetUtcNow(), withColumns: !_hasColumns);
        _hasColumns = true;
        return table;
    }

    private static int WriteLine(PipeWriter writer, string type, ReadOnlySpan<byte> json)
    {
        writer.Write("{\"type\":\""u8);
        writer.Write(System.Text.Encoding.ASCII.GetBytes(type));
        writer.Write("\",\"object\":"u8);
        writer.Write(json);
        writer.Write("}\n"u8);
        return json.Length;
    }
}
