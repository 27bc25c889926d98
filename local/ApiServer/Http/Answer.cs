using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Trestle.Local.ApiServer;

/// <summary>How the client wants objects: as they are, as a table, or their metadata alone.</summary>
internal enum Shape { Object, Table, Partial, PartialList }

/// <summary>Writes answers.</summary>
internal static class Answer
{
    public const string JsonType = "application/json";

    /// <summary>Reads the Accept header; 406 when nothing in it can be served.</summary>
    public static Shape ShapeOf(HttpRequest request)
    {
        var accept = request.Headers.Accept.ToString();
        if (accept.Length == 0) return Shape.Object;
        foreach (var part in accept.Split(','))
        {
            var parameters = part.Split(';', StringSplitOptions.TrimEntries);
            if (parameters[0] is not ("application/json" or "*/*" or "application/*")) continue;
            var form = parameters.FirstOrDefault(p => p.StartsWith("as=", StringComparison.Ordinal))?[3..];
            var isMetaV1 = parameters.Contains("g=meta.k8s.io") && parameters.Contains("v=v1");
            if (form is null) return Shape.Object;
            if (!isMetaV1) continue;
            switch (form)
            {
                case "Table": return Shape.Table;
                case "PartialObjectMetadata": return Shape.Partial;
                case "PartialObjectMetadataList": return Shape.PartialList;
            }
        }

        throw new ApiException(406, "NotAcceptable", "only the following media types are accepted: application/json", []);
    }

    public static async Task JsonAsync(HttpContext http, int code, ReadOnlyMemory<byte> body, string contentType = JsonType)
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = contentType;
        http.Response.Headers.CacheControl = "no-cache, private";
        http.Response.ContentLength = body.Length + 1;
        await http.Response.BodyWriter.WriteAsync(body);
        await http.Response.BodyWriter.WriteAsync("\n"u8.ToArray());
    }

    public static Task JsonAsync(HttpContext http, int code, JsonNode body, string contentType = JsonType) => JsonAsync(http, code, JsonBody.Serialize(body), contentType);

    public static async Task TextAsync(HttpContext http, int code, string text)
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = "text/plain; charset=utf-8";
        await http.Response.WriteAsync(text);
    }

    /// <summary>One stored object in the shape that was asked for.</summary>
    public static Task ObjectAsync(ApiRequest request, WriteResult result, DateTimeOffset now)
    {
        AddWarnings(request);
        var code = result.Created ? 201 : 200;
        var shape = ShapeOf(request.Http.Request);
        if (shape == Shape.Object) return JsonAsync(request.Http, code, result.Json);
        var content = JsonBody.ParseObject(result.Json);
        if (shape == Shape.Partial) return JsonAsync(request.Http, code, TableWriter.Partial(content));
        if (shape != Shape.Table) throw new ApiException(406, "NotAcceptable", "only the following media types are accepted: application/json", []);
        var stored = result.Stored ?? StoredObject.From(content, 0);
        var metadata = new JsonObject { ["resourceVersion"] = stored.ResourceVersion.ToString() };
        return JsonAsync(request.Http, code, TableWriter.Table(request.Resource, metadata, [stored], request.Query("includeObject") ?? "Metadata", now));
    }

    public static Task SuccessAsync(ApiRequest request, int code, JsonObject? details = null)
    {
        AddWarnings(request);
        var status = new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success" };
        if (details is not null) status["details"] = details;
        if (code != 200) status["code"] = code;
        return JsonAsync(request.Http, code, status);
    }

    public static void AddWarnings(ApiRequest request)
    {
        foreach (var warning in request.Warnings.Distinct(StringComparer.Ordinal).Take(50))
        {
            var text = warning.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
            request.Http.Response.Headers.Append("Warning", $"299 - \"{string.Concat(text.Where(c => c is >= ' ' and < (char)127))}\"");
        }
    }
}
