using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>The scale subresource: a small view of an object with its replicas.</summary>
internal sealed class ScaleHandler(ObjectStore store, ObjectWriter writer)
{
    public async Task HandleAsync(ApiRequest request)
    {
        var resource = request.Resource;
        var paths = resource.Scale!;
        var stored = store.Get(resource.StorageKey, request.Key) ?? throw ApiException.NotFound(resource, request.Name);
        switch (request.Http.Request.Method)
        {
            case "GET":
                await Answer.JsonAsync(request.Http, 200, View(stored, paths));
                return;
            case "PUT":
                var body = (await request.ReadObjectAsync("Scale")).Content;
                await ChangeAsync(request, paths, _ => body);
                return;
            case "PATCH":
                var patch = await ChangeHandler.ReadPatchAsync(request);
                await ChangeAsync(request, paths, view => ChangeHandler.Patched(request, view, patch));
                return;
            default:
                throw ApiException.MethodNotAllowed();
        }
    }

    private async Task ChangeAsync(ApiRequest request, ScalePaths paths, Func<JsonObject, JsonObject> change)
    {
        var result = await writer.ChangeAsync(request.Resource, request.Key, (stored, content) =>
        {
            var wanted = change(View(stored, paths));
            var version = wanted.Object("metadata").Text("resourceVersion");
            if (!string.IsNullOrEmpty(version) && version != stored.ResourceVersion.ToString()) throw ApiException.Modified(request.Resource, request.Name);
            var replicas = wanted.Object("spec").Integer("replicas") ?? 0;
            if (replicas < 0) throw ApiException.Invalid("autoscaling", "Scale", request.Name, [FieldError.Invalid("spec.replicas", replicas, "must be greater than or equal to 0")]);
            content.Put(paths.SpecReplicas, replicas);
            return (content, false);
        }, WriteOptions.Of(request));
        await Answer.JsonAsync(request.Http, 200, View(result.Stored ?? StoredObject.Load(result.Json, 0), paths));
    }

    private static JsonObject View(StoredObject stored, ScalePaths paths)
    {
        var content = stored.Parse();
        var metadata = content.Object("metadata")!;
        var status = new JsonObject { ["replicas"] = content.At(paths.StatusReplicas).AsInteger() ?? 0 };
        if (paths.Selector is not null && content.At(paths.Selector) is { } selector)
            status["selector"] = selector is JsonObject map ? Columns.Selector(map.Object("matchLabels")) : selector.AsText();
        var view = new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = new JsonObject(),
            ["spec"] = new JsonObject { ["replicas"] = content.At(paths.SpecReplicas).AsInteger() ?? 0 },
            ["status"] = status,
        };
        foreach (var field in (string[])["name", "namespace", "uid", "resourceVersion", "creationTimestamp"])
        {
            if (metadata[field] is { } value) view.Object("metadata")![field] = value.DeepClone();
        }

        return view;
    }
}
