using System.Text.Json.Nodes;
using CsCheck;

namespace Trestle.Local.ApiMachinery.Tests;

/// <summary>Whatever JSON a client sends, only the library's own errors come back.</summary>
public sealed class HostileInputTests
{
    private static readonly TypeSchema Pod = BuiltInSchemas.For("", "v1", "Pod");
    private static readonly StructuralSchema Schema = RecordedRequest.Schema();

    private static readonly string[] Names =
    [
        "metadata", "managedFields", "spec", "containers", "name", "env", "labels", "finalizers", "ports", "containerPort", "fieldsV1", "f:spec", "k:{}", "k:{\"a\"", "v:", ".",
        "operation", "$patch", "$retainKeys", "$setElementOrder/containers", "$deleteFromPrimitiveList/finalizers", "run", "nodes", "conditions", "type", "podTemplate",
    ];

    private static readonly Gen<JsonNode?> Leaf = Gen.OneOf("a", "", "delete", "replace", "Apply", "Update", "main", "1", "true", "null", "{}", "[]")
        .Select(t => t is "1" or "true" or "null" or "{}" or "[]" ? JsonNode.Parse(t) : JsonValue.Create(t));

    private static readonly Gen<JsonObject> Any = ObjectOf(5);

    [Fact]
    public void Pruning_defaulting_and_validating_take_anything() => Any.Sample(obj =>
    {
        Pod.TypeErrors(obj);
        Pod.Prune((JsonObject)obj.DeepClone());
        Schema.Validate(obj, (JsonObject)obj.DeepClone());
        var copy = (JsonObject)obj.DeepClone();
        Schema.Prune(copy);
        Schema.ApplyDefaults(copy);
        Schema.Validate(copy, obj);
    }, iter: 5_000);

    [Fact]
    public void Tracking_and_applying_take_anything() => Gen.Select(Any, Any).Sample((live, obj) =>
    {
        foreach (var type in new[] { Pod, Schema.Type })
        {
            Expected(() => ManagedFields.Update(live, (JsonObject)obj.DeepClone(), type, "m", "Update", "v1", null, DateTimeOffset.UnixEpoch));
            Expected(() => ServerSideApply.Apply(live, obj, type, "m", true, "v1", null, DateTimeOffset.UnixEpoch));
            Expected(() => ServerSideApply.Apply(live, obj, type, "m", false, "v1", "status", DateTimeOffset.UnixEpoch, ["spec"]));
        }
    }, iter: 5_000);

    [Fact]
    public void Patching_takes_anything() => Gen.Select(Any, Any).Sample((obj, patch) =>
    {
        MergePatch.Apply(obj, patch);
        Expected(() => StrategicMergePatch.Apply(obj, patch, Pod));
        Expected(() => JsonPatch.Apply(obj, new JsonArray(patch.DeepClone())));
    }, iter: 5_000);

    [Fact]
    public void A_schema_of_anything_is_read_or_refused() => SchemaOf(5).Sample(schema => Expected(() => StructuralSchema.FromCrd(schema)), iter: 5_000);

    [Fact]
    public void A_selector_of_anything_is_read_or_refused() =>
        Gen.OneOf("a", "=", "==", "!", "!=", "in", "notin", "(", ")", ",", " ", "<", ">", "\\", "b/c", "-").Array[0, 10].Select(string.Concat).Sample(text =>
        {
            Expected(() => LabelSelector.Parse(text).Matches(new Dictionary<string, string> { ["a"] = "1" }));
            Expected(() => FieldSelector.Parse(text));
        }, iter: 10_000);

    private static void Expected(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is PatchException or ConflictException or SchemaException or SelectorException)
        {
        }
    }

    private static Gen<JsonObject> ObjectOf(int depth) => Gen.Select(Gen.OneOf(Names), Value(depth)).Array[0, 5].Select(Build);

    private static Gen<JsonNode?> Value(int depth) => depth == 0
        ? Leaf
        : Gen.OneOf<JsonNode?>(Leaf, ObjectOf(depth - 1).Select(o => (JsonNode?)o), Value(depth - 1).Array[0, 3].Select(a => (JsonNode?)new JsonArray([.. a.Select(n => n?.DeepClone())])));

    private static Gen<JsonObject> SchemaOf(int depth)
    {
        var words = Gen.OneOf("type", "properties", "items", "additionalProperties", "default", "enum", "pattern", "required", "x-kubernetes-validations", "x-kubernetes-list-type",
            "x-kubernetes-list-map-keys", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields", "nullable", "maxItems", "maxLength", "anyOf", "not", "rule", "messageExpression", "format");
        var values = Gen.OneOf("object", "array", "string", "integer", "map", "set", "[", "self", "self == 1", "1", "-1", "true", "null", "{}", "[]", "[\"a\"]", "1e300")
            .Select(t => t is "1" or "-1" or "true" or "null" or "{}" or "[]" or "[\"a\"]" or "1e300" ? JsonNode.Parse(t) : JsonValue.Create(t));
        var value = depth == 0
            ? values
            : Gen.OneOf<JsonNode?>(values, SchemaOf(depth - 1).Select(o => (JsonNode?)o), SchemaOf(depth - 1).Array[0, 2].Select(a => (JsonNode?)new JsonArray([.. a.Select(n => n.DeepClone())])));
        return Gen.Select(words, value).Array[0, 6].Select(Build);
    }

    private static JsonObject Build((string Name, JsonNode? Value)[] pairs)
    {
        var obj = new JsonObject();
        foreach (var (name, value) in pairs) obj[name] = value?.DeepClone();
        return obj;
    }
}
