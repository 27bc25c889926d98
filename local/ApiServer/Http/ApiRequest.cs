using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Trestle.Local.ApiServer;

/// <summary>One request, taken apart: who, what verb, which resource, object and subresource.</summary>
internal sealed class ApiRequest(HttpContext http, User user, RequestPath path)
{
    /// <summary>Bytes a request body may have, as in a real server.</summary>
    public const int MaxBody = 3 << 20;

    public HttpContext Http => http;
    public User User => user;
    public RequestPath Path => path;
    public ResourceDefinition Resource => path.Resource!;
    public string? Namespace => path.Namespace;
    public string Name => path.Name ?? "";
    public string Key => StoredObject.KeyOf(path.Namespace, Name);
    public CancellationToken Aborted => http.RequestAborted;
    public List<string> Warnings { get; } = [];

    public string? Query(string name) => http.Request.Query.TryGetValue(name, out var values) && values.Count > 0 ? values[0] : null;

    public bool Flag(string name) => Query(name) is { } value && value is "true" or "1" or "True" or "" && http.Request.Query.ContainsKey(name);

    public bool IsDryRun => Query("dryRun") switch
    {
        null or "" => false,
        "All" => true,
        var other => throw ApiException.Invalid("meta.k8s.io", "CreateOptions", "", [Trestle.Local.ApiMachinery.FieldError.NotSupported("dryRun", other, ["All"])]),
    };

    /// <summary>The name written into managedFields: the query, or the first word of the user agent.</summary>
    public string FieldManager
    {
        get
        {
            if (Query("fieldManager") is { Length: > 0 } manager) return manager;
            var agent = http.Request.Headers.UserAgent.ToString();
            var end = agent.IndexOf('/');
            if (end >= 0) agent = agent[..end];
            return agent.Length == 0 ? "unknown" : agent;
        }
    }

    public string ContentType
    {
        get
        {
            var type = http.Request.ContentType ?? "";
            var end = type.IndexOf(';');
            return (end < 0 ? type : type[..end]).Trim().ToLowerInvariant();
        }
    }

    public async Task<byte[]> ReadBodyAsync()
    {
        if (http.Request.ContentLength > MaxBody) throw ApiException.TooLarge(MaxBody);
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(Aborted);
            if (read.Buffer.Length > MaxBody) throw ApiException.TooLarge(MaxBody);
            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>The body as an object, from JSON or YAML.</summary>
    public async Task<ParsedBody> ReadObjectAsync(string expectedKind)
    {
        if (ContentType is not ("" or "application/json" or "application/yaml" or ProtobufBody.ContentType))
            throw ApiException.UnsupportedMedia("application/json", "application/yaml", "application/vnd.kubernetes.protobuf");
        return Parse(await ReadBodyAsync(), ContentType, expectedKind);
    }

    /// <summary>The options of a deletion; an empty object when there is no body.</summary>
    public async Task<JsonObject> ReadOptionsAsync()
    {
        var body = await ReadBodyAsync();
        return body.Length == 0 ? [] : Parse(body, ContentType, "DeleteOptions").Content;
    }

    public static ParsedBody Parse(byte[] body, string contentType, string expectedKind)
    {
        var duplicates = new List<string>();
        try
        {
            var node = contentType switch
            {
                ProtobufBody.ContentType => ProtobufBody.Parse(body),
                _ when contentType.EndsWith("yaml", StringComparison.Ordinal) && !LooksLikeJson(body) => YamlBody.Parse(body),
                _ => JsonBody.Parse(body, duplicates),
            };
            return new ParsedBody(node as JsonObject ?? throw new JsonException("a JSON object was expected"), duplicates);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw ApiException.BadRequest($"the object provided is unrecognized (must be of type {expectedKind}): couldn't get version/kind; json parse error: {Describe(e)} ({Excerpt(body)})");
        }
    }

    private static bool LooksLikeJson(byte[] body) => body.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'{', ..];

    private static string Describe(Exception e) =>
        e.Message.Contains("Expected depth to be zero", StringComparison.Ordinal) || e.Message.Contains("no JSON tokens", StringComparison.Ordinal) || e.Message.Contains("reached end of data", StringComparison.Ordinal)
            ? "unexpected end of JSON input"
            : e.Message;

    private static string Excerpt(byte[] body)
    {
        var text = Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 100)));
        return text.Trim();
    }
}

/// <summary>A request body, with the paths of keys that were given twice.</summary>
internal sealed record ParsedBody(JsonObject Content, List<string> Duplicates);
