using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>GET of one object and of lists.</summary>
internal sealed class ReadHandler(ObjectStore store, TimeProvider time)
{
    public Task GetAsync(ApiRequest request)
    {
        var stored = store.Get(request.Resource.StorageKey, request.Key) ?? throw ApiException.NotFound(request.Resource, request.Name);
        return Answer.ObjectAsync(request, WriteResult.Of(stored), time.GetUtcNow());
    }

    public Task ListAsync(ApiRequest request)
    {
        var shape = Answer.ShapeOf(request.Http.Request);
        var page = Read(request, new Selection(request));
        var metadata = new JsonObject { ["resourceVersion"] = page.Version.ToString() };
        if (page.Continue is not null) metadata["continue"] = page.Continue;
        if (page.Remaining is > 0) metadata["remainingItemCount"] = page.Remaining;
        switch (shape)
        {
            case Shape.Table:
                return Answer.JsonAsync(request.Http, 200, TableWriter.Table(request.Resource, metadata, page.Items, request.Query("includeObject") ?? "Metadata", time.GetUtcNow()));
            case Shape.Object:
                if (request.Resource.IsCustom) metadata["continue"] = page.Continue ?? "";
                return WriteAsync(request, metadata, page.Items);
            default:
                return Answer.JsonAsync(request.Http, 200, new JsonObject
                {
                    ["kind"] = "PartialObjectMetadataList",
                    ["apiVersion"] = "meta.k8s.io/v1",
                    ["metadata"] = metadata,
                    ["items"] = new JsonArray([.. page.Items.Select(i => (JsonNode)TableWriter.Partial(i.Parse()))]),
                });
        }
    }

    /// <summary>Writes a list from the stored bytes; items of built-in kinds leave out what the list says.</summary>
    public static async Task WriteAsync(ApiRequest request, JsonObject metadata, IEnumerable<StoredObject> items)
    {
        var resource = request.Resource;
        var writer = request.Http.Response.BodyWriter;
        request.Http.Response.ContentType = Answer.JsonType;
        var head = JsonBody.Serialize(new JsonObject { ["kind"] = resource.ListKind, ["apiVersion"] = resource.ApiVersion, ["metadata"] = metadata.DeepClone() });
        await writer.WriteAsync(head.AsMemory(0, head.Length - 1));
        await writer.WriteAsync(",\"items\":["u8.ToArray());
        var isFirst = true;
        foreach (var item in items)
        {
            if (!isFirst) await writer.WriteAsync(","u8.ToArray());
            isFirst = false;
            if (!resource.IsCustom) await writer.WriteAsync("{"u8.ToArray());
            await writer.WriteAsync(resource.IsCustom ? item.Json : item.Json.AsMemory(item.HeadLength));
        }

        await writer.WriteAsync("]}\n"u8.ToArray());
    }

    private Page Read(ApiRequest request, Selection selection)
    {
        var resource = request.Resource.StorageKey;
        var token = request.Query("continue") is { Length: > 0 } text ? ContinueToken.Parse(text) : null;
        var version = ResourceVersions.Parse(request.Query("resourceVersion"));
        var match = request.Query("resourceVersionMatch");
        var (items, current) = store.List(resource);
        if (version > current) throw ResourceVersions.TooLarge(version.Value, current);
        var limit = long.TryParse(request.Query("limit"), out var asked) && asked > 0 && !(version == 0 && match is null) ? asked : long.MaxValue;
        var wanted = token?.Version ?? (match == "Exact" ? version : null);
        if (wanted is { } at && at != current)
        {
            items = store.ListAt(resource, at) ?? throw ApiException.Expired(token is null
                ? "The resourceVersion for the provided list is too old."
                : "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.");
            current = at;
        }

        return Cut(request, selection, items.Values, token, limit, current);
    }

    private static Page Cut(ApiRequest request, Selection selection, IEnumerable<StoredObject> items, ContinueToken? token, long limit, long version)
    {
        var found = new List<StoredObject>();
        var remaining = 0L;
        foreach (var item in items)
        {
            if (token is not null && string.CompareOrdinal(PageKey(request, item), token.After) <= 0) continue;
            if (!selection.Matches(item)) continue;
            if (found.Count < limit) found.Add(item);
            else remaining++;
        }

        var next = remaining > 0 ? new ContinueToken(version, PageKey(request, found[^1])).ToString() : null;
        return new Page(found, version, next, selection.IsEverything ? remaining : 0);
    }

    private static string PageKey(ApiRequest request, StoredObject item) => request.Namespace is null ? item.Key : item.Name;

    private sealed record Page(List<StoredObject> Items, long Version, string? Continue, long Remaining);
}

/// <summary>Resource versions in queries.</summary>
internal static class ResourceVersions
{
    /// <summary>Null when none was given.</summary>
    public static long? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        return ulong.TryParse(text, out var version) && version <= long.MaxValue
            ? (long)version
            : throw new ApiException(500, null, $"resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax");
    }

    public static ApiException TooLarge(long version, long current) => new(504, "Timeout", $"Too large resource version: {version}, current: {current}", new JsonObject
    {
        ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" }),
        ["retryAfterSeconds"] = 1,
    });
}
