using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>Brings what a client sent into the shape of its kind: type and name checked, unknown fields pruned, defaults filled in.</summary>
internal static class ObjectDecoder
{
    public static void CheckTypeMeta(ResourceDefinition resource, JsonObject content)
    {
        var kind = content.Text("kind");
        var apiVersion = content.Text("apiVersion");
        if (string.IsNullOrEmpty(kind)) throw ApiException.BadRequest($"Object 'Kind' is missing in the request body; it must be {resource.Kind}");
        if (string.IsNullOrEmpty(apiVersion)) throw ApiException.BadRequest($"Object 'apiVersion' is missing in the request body; it must be {resource.ApiVersion}");
        if (apiVersion != resource.ApiVersion)
            throw ApiException.BadRequest($"the API version in the data ({apiVersion}) does not match the expected API version ({resource.ApiVersion})");
        if (kind == resource.Kind) return;
        if (!resource.IsCustom) throw ApiException.BadRequest($"{kind} in version \"{resource.Version}\" cannot be handled as a {resource.Kind}: converting ({kind}) to ({resource.Kind}): unknown conversion");
        var name = content.Object("metadata").Text("name") ?? "";
        throw ApiException.Invalid(resource.Group, kind, name, [FieldError.Invalid("kind", kind, "must be " + resource.Kind)]);
    }

    /// <summary>Prunes, reports unknown and repeated fields as asked, and applies defaults. <paramref name="old"/> is null on create.</summary>
    public static void Decode(ResourceDefinition resource, JsonObject content, JsonObject? old, IReadOnlyList<string> duplicates, WriteOptions options, DateTimeOffset now)
    {
        if (!resource.IsCustom) TypeSchema.DropNulls(content);
        var problems = duplicates.Select(d => $"duplicate field \"{d}\"").ToList();
        var original = options is { IsPatch: true, Validation: FieldValidation.Strict } ? content.DeepClone() : null;
        var unknown = resource.Schema is { } schema ? schema.Prune(content) : resource.Types.Prune(content);
        problems.AddRange(unknown.Select(u => $"unknown field \"{u}\""));
        if (problems.Count > 0) Report(resource, original, problems, options);
        if (!resource.IsCustom && resource.Types.TypeErrors(content) is { Count: > 0 } errors)
            throw ApiException.BadRequest($"{resource.Kind} in version \"{resource.Version}\" cannot be handled as a {resource.Kind}: {string.Join(", ", errors)}");
        resource.Schema?.ApplyDefaults(content);
        resource.Rules.Default?.Invoke(content, old, now);
    }

    private static void Report(ResourceDefinition resource, JsonNode? original, List<string> problems, WriteOptions options)
    {
        if (options.Validation == FieldValidation.Warn) options.Warnings.AddRange(problems);
        if (options.Validation != FieldValidation.Strict) return;
        var sentence = "strict decoding error: " + string.Join(", ", problems);
        if (original is null) throw ApiException.BadRequest($"{resource.Kind} in version \"{resource.Version}\" cannot be handled as a {resource.Kind}: {sentence}");
        var error = FieldError.Invalid("patch", System.Text.Encoding.UTF8.GetString(JsonBody.Serialize(original)), sentence);
        throw new ApiException(422, "Invalid", $" \"\" is invalid: {error.Message}", new JsonObject
        {
            ["causes"] = new JsonArray(new JsonObject { ["reason"] = error.Reason, ["message"] = error.Body, ["field"] = error.Field }),
        });
    }
}
