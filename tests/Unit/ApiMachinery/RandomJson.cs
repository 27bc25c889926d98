using System.Text.Json.Nodes;
using CsCheck;

namespace Trestle.Local.ApiMachinery.Tests;

/// <summary>Random JSON over few names, so that objects overlap; the names are those of the recorded TrainingJob.</summary>
internal static class RandomJson
{
    private static readonly Gen<string> Name = Gen.OneOf("run", "nodes", "mode", "elastic", "minNodes", "env", "name", "value", "podTemplate", "conditions", "type", "x", "y");

    public static readonly Gen<JsonObject> Object = ObjectOf(3);

    public static Gen<JsonNode?> Value(int depth)
    {
        var leaf = Gen.OneOf(
            Gen.Int[-2, 3].Select(i => (JsonNode?)JsonValue.Create(i)),
            Gen.OneOf("a", "b", "", "Auto").Select(s => (JsonNode?)JsonValue.Create(s)),
            Gen.Bool.Select(b => (JsonNode?)JsonValue.Create(b)),
            Gen.Const((JsonNode?)null));
        return depth == 0
            ? leaf
            : Gen.OneOf(leaf, ObjectOf(depth - 1).Select(o => (JsonNode?)o), Value(depth - 1).Array[0, 3].Select(a => (JsonNode?)new JsonArray([.. a.Select(n => n?.DeepClone())])));
    }

    private static Gen<JsonObject> ObjectOf(int depth) => Gen.Select(Name, Value(depth)).Array[0, 4].Select(pairs =>
    {
        var obj = new JsonObject();
        foreach (var (name, value) in pairs) obj[name] = value?.DeepClone();
        return obj;
    });
}
