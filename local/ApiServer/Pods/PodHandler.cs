using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>Binding, eviction and logs of pods.</summary>
internal sealed class PodHandler(ObjectStore store, ObjectRemover remover, PodLogs logs, TimeProvider time)
{
    public Task HandleAsync(ApiRequest request) => (request.Path.Subresource, request.Http.Request.Method) switch
    {
        ("binding", "POST") => BindAsync(request),
        ("eviction", "POST") => EvictAsync(request),
        ("log", "GET") => logs.SendAsync(request, store.Get(request.Resource.StorageKey, request.Key) ?? throw ApiException.NotFound(request.Resource, request.Name)),
        ("binding" or "eviction" or "log", _) => throw ApiException.MethodNotAllowed(),
        var (subresource, _) => throw ApiException.NotImplemented($"pods/{subresource}"),
    };

    private async Task BindAsync(ApiRequest request)
    {
        var body = (await request.ReadObjectAsync("Binding")).Content;
        var target = body.Object("target");
        if (target.Text("name") is not { Length: > 0 } node) throw ApiException.Invalid("", "Binding", request.Name, [FieldError.Required("target.name")]);
        if (target.Text("kind") is not (null or "" or "Node") and var kind) throw ApiException.Invalid("", "Binding", request.Name, [FieldError.NotSupported("target.kind", kind, ["Node", "<empty>"])]);
        var uid = body.Object("metadata").Text("uid");
        var options = WriteOptions.Of(request);
        while (true)
        {
            var stored = store.Get(request.Resource.StorageKey, request.Key) ?? throw ApiException.NotFound(request.Resource, request.Name);
            var next = stored.Parse();
            Bind(request, stored, next, node, uid);
            if (options.IsDryRun || await store.ReplaceAsync(request.Resource.StorageKey, stored, next) is not null) break;
        }

        await Answer.SuccessAsync(request, 201);
    }

    private void Bind(ApiRequest request, StoredObject stored, JsonObject pod, string node, string? uid)
    {
        var spec = pod.Ensure("spec");
        if (!string.IsNullOrEmpty(uid) && uid != stored.Uid) throw Refuse(request, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {stored.Uid}");
        if (stored.IsDeleting) throw Refuse(request, $"pod {stored.Name} is being deleted, cannot be assigned to a host");
        if (spec.Text("nodeName") is { Length: > 0 } bound) throw Refuse(request, $"pod {stored.Name} is already assigned to node \"{bound}\"");
        if (spec.Array("schedulingGates") is { Count: > 0 }) throw Refuse(request, $"pod {stored.Name} has non-empty .spec.schedulingGates");
        spec["nodeName"] = node;
        var conditions = pod.Ensure("status").Array("conditions") ?? [];
        var others = conditions.OfType<JsonObject>().Where(c => c.Text("type") != "PodScheduled").Select(c => c.DeepClone());
        pod.Ensure("status")["conditions"] = new JsonArray([.. others, new JsonObject
        {
            ["type"] = "PodScheduled",
            ["status"] = "True",
            ["lastProbeTime"] = null,
            ["lastTransitionTime"] = Timestamp.Of(time.GetUtcNow()),
        }]);
    }

    private static ApiException Refuse(ApiRequest request, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on pods/binding \"{request.Name}\": {why}", ApiException.Details(request.Name, "", "pods/binding"));

    private async Task EvictAsync(ApiRequest request)
    {
        var body = (await request.ReadObjectAsync("Eviction")).Content;
        var options = DeleteOptions.Of(request, body.Object("deleteOptions") ?? []);
        await remover.DeleteAsync(request.Resource, request.Key, options);
        await Answer.SuccessAsync(request, 201);
    }
}
