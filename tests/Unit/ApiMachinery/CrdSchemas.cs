using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery.Tests;

/// <summary>Schemas and objects for tests, written as JSON with single quotes.</summary>
internal static class CrdSchemas
{
    public static JsonObject Json(string text) => (JsonObject)JsonNode.Parse(text.Replace('\'', '"'))!;

    /// <summary>A resource whose spec has these properties (JSON members) and rules.</summary>
    public static StructuralSchema Spec(string properties, params string[] rules) => StructuralSchema.FromCrd(SpecSchema(properties, rules));

    public static JsonObject SpecSchema(string properties, params string[] rules)
    {
        var spec = Json($"{{'type':'object','properties':{{{properties}}}}}");
        if (rules.Length > 0) spec["x-kubernetes-validations"] = new JsonArray([.. rules.Select(r => (JsonNode)new JsonObject { ["rule"] = r })]);
        return new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["spec"] = spec } };
    }

    public static JsonObject Object(string spec) => new()
    {
        ["apiVersion"] = "test.dev/v1",
        ["kind"] = "Test",
        ["metadata"] = new JsonObject { ["name"] = "t" },
        ["spec"] = Json(spec),
    };

    /// <summary>The errors of a spec, each as <c>field: message</c>.</summary>
    public static IEnumerable<string> Errors(this StructuralSchema schema, string spec, string? old = null) =>
        schema.Validate(Object(spec), old is null ? null : Object(old)).Select(e => e.Message);

    public static void ShouldBeJson(this JsonNode? actual, string expected)
    {
        var wanted = JsonNode.Parse(expected.Replace('\'', '"'));
        if (!JsonNode.DeepEquals(actual, wanted)) (actual?.ToJsonString() ?? "null").ShouldBe(wanted?.ToJsonString() ?? "null");
    }
}
