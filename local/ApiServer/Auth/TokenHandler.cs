using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>POST serviceaccounts/NAME/token.</summary>
internal sealed class TokenHandler(ObjectStore store, ServiceAccountTokens tokens)
{
    public async Task HandleAsync(ApiRequest request)
    {
        if (request.Http.Request.Method != "POST") throw ApiException.MethodNotAllowed();
        var account = store.Get(request.Resource.StorageKey, request.Key) ?? throw ApiException.NotFound(request.Resource, request.Name);
        var content = (await request.ReadObjectAsync("TokenRequest")).Content;
        var spec = content.Ensure("spec");
        spec.Default("audiences", new JsonArray(ServiceAccountTokens.Audience));
        spec.Default("expirationSeconds", 3600);
        CheckBound(request, spec.Object("boundObjectRef"));
        var (token, expires) = tokens.Issue(account, spec.Integer("expirationSeconds") ?? 3600, spec.Object("boundObjectRef"), [.. (spec.Array("audiences") ?? []).Select(one => one.AsText()).OfType<string>()]);
        content["kind"] = "TokenRequest";
        content["apiVersion"] = "authentication.k8s.io/v1";
        var metadata = content.Ensure("metadata");
        metadata["name"] = account.Name;
        metadata["namespace"] = account.Namespace;
        content["status"] = new JsonObject { ["token"] = token, ["expirationTimestamp"] = Timestamp.Of(expires) };
        await Answer.JsonAsync(request.Http, 201, content);
    }

    private void CheckBound(ApiRequest request, JsonObject? bound)
    {
        if (bound.Text("kind") is not "Pod") return;
        var name = bound.Text("name") ?? "";
        var pod = store.Get("/pods", StoredObject.KeyOf(request.Namespace, name))
            ?? throw new ApiException(404, "NotFound", $"pods \"{name}\" not found", ApiException.Details(name, "", "pods"));
        if (bound.Text("uid") is { Length: > 0 } uid && uid != pod.Uid)
            throw new ApiException(409, "Conflict", $"Operation cannot be fulfilled on Pod \"{name}\": the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated", ApiException.Details(name, "", "Pod"));
    }
}
