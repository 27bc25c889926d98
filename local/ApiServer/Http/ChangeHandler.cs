using System.Text;
using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>POST, PUT, PATCH and DELETE of objects.</summary>
internal sealed class ChangeHandler(ObjectStore store, ObjectWriter writer, ObjectRemover remover, TimeProvider time)
{
    private const string Json = "application/json-patch+json";
    private const string Merge = "application/merge-patch+json";
    private const string Strategic = "application/strategic-merge-patch+json";
    private const string ApplyYaml = "application/apply-patch+yaml";

    public async Task CreateAsync(ApiRequest request)
    {
        var body = await request.ReadObjectAsync(request.Resource.Kind);
        await Answer.ObjectAsync(request, await writer.CreateAsync(request.Resource, request.Namespace, body, WriteOptions.Of(request)), time.GetUtcNow());
    }

    public async Task UpdateAsync(ApiRequest request)
    {
        var body = await request.ReadObjectAsync(request.Resource.Kind);
        var resource = request.Resource;
        var stored = store.Get(resource.StorageKey, request.Key) ?? throw ApiException.NotFound(resource, request.Name);
        ObjectDecoder.CheckTypeMeta(resource, body.Content);
        if (resource.IsCustom && string.IsNullOrEmpty(body.Content.Object("metadata").Text("resourceVersion")))
            throw ApiException.Invalid(resource.Group, resource.Plural, request.Name, [FieldError.Invalid("metadata.resourceVersion", 0, "must be specified for an update")]);
        var options = WriteOptions.Of(request);
        while (true)
        {
            if (await writer.UpdateAsync(resource, stored, body, options) is { } result)
            {
                await Answer.ObjectAsync(request, result, time.GetUtcNow());
                return;
            }

            stored = store.Get(resource.StorageKey, request.Key) ?? throw ApiException.NotFound(resource, request.Name);
        }
    }

    public async Task PatchAsync(ApiRequest request)
    {
        var options = WriteOptions.Of(request) with { IsPatch = true };
        var patch = await ReadPatchAsync(request);
        var result = request.ContentType == ApplyYaml
            ? await ApplyAsync(request, (JsonObject)patch, options)
            : await writer.ChangeAsync(request.Resource, request.Key, (_, content) => (Patched(request, content, patch), false), options);
        await Answer.ObjectAsync(request, result, time.GetUtcNow());
    }

    public async Task DeleteAsync(ApiRequest request)
    {
        var options = DeleteOptions.Of(request, await request.ReadOptionsAsync());
        var (stored, json, isGone) = await remover.DeleteAsync(request.Resource, request.Key, options);
        if (!isGone || request.Resource.Rules.ReturnsDeleted)
        {
            await Answer.ObjectAsync(request, new WriteResult(json, stored), time.GetUtcNow());
            return;
        }

        var details = ApiException.Details(stored.Name, request.Resource.Group, request.Resource.Plural);
        details["uid"] = stored.Uid;
        await Answer.SuccessAsync(request, 200, details);
    }

    public async Task DeleteManyAsync(ApiRequest request)
    {
        var options = DeleteOptions.Of(request, await request.ReadOptionsAsync());
        var selection = new Selection(request);
        var (items, version) = store.List(request.Resource.StorageKey);
        var chosen = items.Values.Where(selection.Matches).ToArray();
        foreach (var item in chosen)
        {
            try
            {
                await remover.DeleteAsync(request.Resource, item.Key, options with { Uid = options.Uid ?? item.Uid });
            }
            catch (ApiException e) when (e.Code is 404 or 409)
            {
                // Someone else was faster.
            }
        }

        var metadata = new JsonObject { ["resourceVersion"] = version.ToString() };
        if (request.Resource.IsCustom) metadata["continue"] = "";
        await ReadHandler.WriteAsync(request, metadata, chosen);
    }

    /// <summary>Reads a patch of a media type the resource takes.</summary>
    public static async Task<JsonNode> ReadPatchAsync(ApiRequest request)
    {
        string[] accepted = request.Resource.IsCustom ? [Json, Merge, ApplyYaml] : [Json, Merge, Strategic, ApplyYaml];
        if (!accepted.Contains(request.ContentType)) throw ApiException.UnsupportedMedia(accepted);
        var bytes = await request.ReadBodyAsync();
        if (request.ContentType != Json) return ApiRequest.Parse(bytes, request.ContentType, request.Resource.Kind).Content;
        try
        {
            return JsonBody.Parse(bytes, null) as JsonArray ?? throw new System.Text.Json.JsonException("expected an array");
        }
        catch (System.Text.Json.JsonException e)
        {
            throw ApiException.BadRequest($"error decoding patch: {e.Message} ({Encoding.UTF8.GetString(bytes.AsSpan(0, Math.Min(100, bytes.Length)))})");
        }
    }

    /// <summary>A copy of the object with the patch laid over it.</summary>
    public static JsonObject Patched(ApiRequest request, JsonObject content, JsonNode patch)
    {
        try
        {
            var result = request.ContentType switch
            {
                Json => JsonPatch.Apply(content, (JsonArray)patch),
                Merge => MergePatch.Apply(content, patch),
                _ => StrategicMergePatch.Apply(content, (JsonObject)patch, request.Resource.Types),
            };
            return result as JsonObject ?? throw ApiException.BadRequest("the patch leaves no object");
        }
        catch (PatchException e)
        {
            throw ApiException.From(e);
        }
    }

    private async Task<WriteResult> ApplyAsync(ApiRequest request, JsonObject applied, WriteOptions options)
    {
        var resource = request.Resource;
        if (string.IsNullOrEmpty(request.Query("fieldManager")))
            throw ApiException.Invalid("meta.k8s.io", "PatchOptions", "", [FieldError.Required("fieldManager", "is required for apply patch")]);
        CheckApplied(request, applied);
        if (options.Validation == FieldValidation.Strict || !resource.IsCustom) ObjectDecoder.Decode(resource with { Rules = KindRules.None, Schema = null }, applied, null, [], options with { IsPatch = false }, time.GetUtcNow());
        while (true)
        {
            var exists = store.Get(resource.StorageKey, request.Key) is not null;
            if (!exists && options.Subresource is not null) throw ApiException.NotFound(resource, request.Name);
            try
            {
                return exists
                    ? await writer.ChangeAsync(resource, request.Key, (_, content) => (Merged(request, content, applied, options), true), options)
                    : await writer.CreateAppliedAsync(resource, request.Namespace, Merged(request, null, applied, options), options);
            }
            catch (ApiException e) when (e.Reason == (exists ? "NotFound" : "AlreadyExists"))
            {
                // Someone removed or made it meanwhile: apply to what there is now.
            }
        }
    }

    private static void CheckApplied(ApiRequest request, JsonObject applied)
    {
        ObjectDecoder.CheckTypeMeta(request.Resource, applied);
        var metadata = applied.Ensure("metadata");
        metadata.Default("name", request.Name);
        if (metadata.Text("name") != request.Name) throw ApiException.BadRequest($"name in URL ({request.Name}) does not match name in body ({metadata.Text("name")})");
        if (request.Namespace is not null) metadata.Default("namespace", request.Namespace);
    }

    private JsonObject Merged(ApiRequest request, JsonObject? live, JsonObject applied, WriteOptions options)
    {
        var resource = request.Resource;
        var version = applied.Object("metadata").Text("resourceVersion");
        string[] ignored = !resource.HasStatus ? [] : options.Subresource == "status" ? ["spec"] : ["status"];
        try
        {
            var merged = ServerSideApply.Apply(live, applied, resource.Types, options.FieldManager, request.Flag("force"), resource.ApiVersion, options.Subresource, time.GetUtcNow(), ignored);
            LastApplied.Update(merged, applied, options.FieldManager);
            if (version is not null) merged.Ensure("metadata")["resourceVersion"] = version;
            return merged;
        }
        catch (PatchException e)
        {
            throw ApiException.From(e);
        }
        catch (ConflictException e)
        {
            throw new ApiException(409, "Conflict", e.Message, new JsonObject
            {
                ["causes"] = new JsonArray([.. e.Conflicts.Select(c => (JsonNode)new JsonObject { ["reason"] = "FieldManagerConflict", ["message"] = c.Message, ["field"] = c.Field })]),
            });
        }
    }
}
