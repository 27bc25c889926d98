using Microsoft.AspNetCore.Http;

namespace Trestle.Local.ApiServer;

/// <summary>Refuses what the policy does not allow, in a real server's words.</summary>
internal sealed class Authorizer(AccessPolicy policy)
{
    private static readonly string[] Public = ["/healthz", "/livez", "/readyz", "/version"];

    public void Check(HttpContext http, User user, RequestPath? path)
    {
        if (path is null) CheckPath(http, user);
        else CheckResource(http, user, path);
    }

    public static string VerbOf(HttpRequest request, RequestPath path) => request.Method switch
    {
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => path.Name is null ? "deletecollection" : "delete",
        _ when IsWatch(request) => "watch",
        _ => path.Name is null ? "list" : "get",
    };

    public static bool IsWatch(HttpRequest request) => request.Query["watch"].ToString() is "true" or "1" or "True";

    private static void CheckPath(HttpContext http, User user)
    {
        var path = http.Request.Path.Value ?? "/";
        if (Public.Any(p => path == p || path.StartsWith(p + "/", StringComparison.Ordinal))) return;
        var verb = http.Request.Method.ToLowerInvariant();
        // Discovery is open to everyone who is known.
        if (!user.IsAnonymous) return;
        throw new ApiException(403, "Forbidden", $"forbidden: User \"{user.Name}\" cannot {verb} path \"{path}\"", []);
    }

    private void CheckResource(HttpContext http, User user, RequestPath path)
    {
        var verb = VerbOf(http.Request, path);
        if (ReviewHandler.Handles(path) && !user.IsAnonymous) return;
        var resource = path.Subresource is null ? path.Plural : path.Plural + "/" + path.Subresource;
        if (policy.Allows(user, new AccessQuestion("", [], verb, path.Group, resource, path.Namespace, path.Name))) return;
        var where = path.Namespace is null ? "at the cluster scope" : $"in the namespace \"{path.Namespace}\"";
        var qualified = path.Group.Length == 0 ? path.Plural : path.Plural + "." + path.Group;
        var name = path.Name is null ? "" : $" \"{path.Name}\"";
        throw new ApiException(403, "Forbidden",
            $"{qualified}{name} is forbidden: User \"{user.Name}\" cannot {verb} resource \"{resource}\" in API group \"{path.Group}\" {where}",
            ApiException.Details(path.Name ?? "", path.Group, path.Plural));
    }
}
