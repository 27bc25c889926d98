using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Trestle.Local.ApiServer;

/// <summary>Every request comes here; every answer that is not success leaves as a Status.</summary>
internal sealed partial class Router(ServerParts parts, ILogger<Router> logger)
{
    private static readonly string NotFoundText = "404 page not found\n";

    public async Task HandleAsync(HttpContext http)
    {
        var started = parts.Time.GetTimestamp();
        User? user = null;
        try
        {
            user = parts.Authenticator.Authenticate(http.Request);
            await RouteAsync(http, user);
        }
        catch (ApiException e)
        {
            await FailAsync(http, e);
        }
        catch (StorageFullException e)
        {
            LogStorageFull(e);
            await FailAsync(http, new ApiException(507, "InsufficientStorage", e.Message));
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client left; there is nobody to answer.
        }
        catch (BadHttpRequestException e)
        {
            await FailAsync(http, new ApiException(e.StatusCode, "BadRequest", e.Message));
        }
        catch (Exception e)
        {
            LogFailure(e, http.Request.Method, http.Request.Path);
            await FailAsync(http, new ApiException(500, "InternalError", $"Internal error occurred: {e.Message}"));
        }

        var milliseconds = (long)parts.Time.GetElapsedTime(started).TotalMilliseconds;
        LogRequest(http.Request.Method, http.Request.Path, http.Response.StatusCode, (user?.Impersonator ?? user)?.Name ?? "", user?.Impersonator is null ? "" : user.Name, milliseconds);
    }

    private async Task RouteAsync(HttpContext http, User user)
    {
        var path = http.Request.Path.Value ?? "/";
        var resourcePath = RequestPath.Parse(path, parts.Catalog);
        parts.Authorizer.Check(http, user, resourcePath);
        if (resourcePath is not null) await HandleResourceAsync(new ApiRequest(http, user, resourcePath));
        else if (!await TryHandleFixedAsync(http, path)) await Answer.TextAsync(http, 404, NotFoundText);
    }

    private async Task<bool> TryHandleFixedAsync(HttpContext http, string path)
    {
        var trimmed = path.Length > 1 ? path.TrimEnd('/') : path;
        switch (trimmed)
        {
            case "/version":
                await Answer.JsonAsync(http, 200, ServerVersion.Describe());
                return true;
            case "/healthz" or "/livez" or "/readyz":
                await Answer.TextAsync(http, 200, http.Request.Query.ContainsKey("verbose") ? $"[+]ping ok\n[+]storage ok\n{trimmed[1..]} check passed\n" : "ok");
                return true;
            case "/":
                await Answer.JsonAsync(http, 200, new JsonObject { ["paths"] = new JsonArray("/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version") });
                return true;
            case "/openapi/v2":
                // Clients go on without it: kubectl has the built-in types compiled in.
                throw new ApiException(404, "NotFound", "OpenAPI v2 is not served by the one-machine API server; use /openapi/v3", []);
            default:
                if (http.Request.Method != "GET") return false;
                return await parts.Discovery.TryHandleAsync(http, trimmed) || await parts.OpenApi.TryHandleAsync(http, trimmed);
        }
    }

    private Task HandleResourceAsync(ApiRequest request)
    {
        if (ReviewHandler.Handles(request.Path)) return parts.Reviews.HandleAsync(request);
        if (request.Path.Resource is null) return Answer.TextAsync(request.Http, 404, NotFoundText);
        return request.Path.Subresource is null ? HandleObjectAsync(request) : HandleSubresourceAsync(request, request.Path.Subresource);
    }

    private Task HandleObjectAsync(ApiRequest request)
    {
        var verb = Authorizer.VerbOf(request.Http.Request, request.Path);
        // A watch of one object by its path is the old form of a field selector.
        if (!request.Resource.Verbs.Contains(verb) || (request.Path.Name is null) != (verb is "create" or "list" or "watch" or "deletecollection"))
            throw ApiException.MethodNotAllowed();
        if (verb == "create" && request.Resource.IsNamespaced && request.Namespace is null) throw ApiException.MethodNotAllowed();
        return verb switch
        {
            "get" => parts.Reads.GetAsync(request),
            "list" => parts.Reads.ListAsync(request),
            "watch" => parts.Watches.WatchAsync(request),
            "create" => parts.Changes.CreateAsync(request),
            "update" => parts.Changes.UpdateAsync(request),
            "patch" => parts.Changes.PatchAsync(request),
            "delete" => parts.Changes.DeleteAsync(request),
            _ => parts.Changes.DeleteManyAsync(request),
        };
    }

    private Task HandleSubresourceAsync(ApiRequest request, string subresource)
    {
        var resource = request.Resource;
        if (subresource == "status" && resource.HasStatus)
        {
            return request.Http.Request.Method switch
            {
                "GET" => parts.Reads.GetAsync(request),
                "PUT" => parts.Changes.UpdateAsync(request),
                "PATCH" => parts.Changes.PatchAsync(request),
                _ => throw ApiException.MethodNotAllowed(),
            };
        }

        if (subresource == "scale" && resource.Scale is not null) return parts.Scales.HandleAsync(request);
        return (resource.StorageKey, subresource) switch
        {
            ("/pods", _) when resource.Subresources.Any(s => s.Name == subresource) => parts.Pods.HandleAsync(request),
            ("/serviceaccounts", "token") => parts.Tokens.HandleAsync(request),
            ("/namespaces", "finalize") => parts.Changes.UpdateAsync(request),
            _ when resource.Subresources.Any(s => s.Name == subresource) => throw ApiException.NotImplemented($"{resource.Plural}/{subresource}"),
            _ => Answer.TextAsync(request.Http, 404, NotFoundText),
        };
    }

    private static async Task FailAsync(HttpContext http, ApiException e)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        http.Response.Headers.Remove("Warning");
        if (e.Code == 504) http.Response.Headers.RetryAfter = "1";
        await Answer.JsonAsync(http, e.Code, e.ToStatus());
    }

    [LoggerMessage(3001, LogLevel.Debug, "{Method} {Path} {Status} user={User} as={Impersonated} {Milliseconds}ms")]
    private partial void LogRequest(string method, PathString path, int status, string user, string impersonated, long milliseconds);

    [LoggerMessage(3002, LogLevel.Error, "{Method} {Path} failed")]
    private partial void LogFailure(Exception exception, string method, PathString path);

    [LoggerMessage(3003, LogLevel.Error, "The journal can't be written; changes are refused until it can")]
    private partial void LogStorageFull(Exception exception);
}
