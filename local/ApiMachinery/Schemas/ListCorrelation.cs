using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>Finds an item's counterpart in the old list; only lists of type map have one.</summary>
internal sealed class ListCorrelation
{
    private readonly Dictionary<string, JsonNode> old = new(StringComparer.Ordinal);
    private readonly SchemaNode schema;

    public ListCorrelation(JsonArray items, SchemaNode schema)
    {
        this.schema = schema;
        if (schema.ListType != "map") return;
        foreach (var item in items.OfType<JsonObject>()) old.TryAdd(Key(item, schema.ListKeys), item);
    }

    public JsonNode? Find(JsonNode? item) => item is JsonObject obj && old.Count > 0 ? old.GetValueOrDefault(Key(obj, schema.ListKeys)) : null;

    /// <summary>A text that is equal for items of equal keys.</summary>
    public static string Key(JsonObject item, IReadOnlyList<string> keys) =>
        keys is [var only] ? Text(item, only) : string.Join('\n', keys.Select(k => Text(item, k)));

    /// <summary>The key fields of an item, sorted by name.</summary>
    public static JsonObject Identity(JsonObject item, IReadOnlyList<string> keys)
    {
        var identity = new JsonObject();
        foreach (var key in keys.Order(StringComparer.Ordinal))
            if (item.TryGetPropertyValue(key, out var value)) identity[key] = value?.DeepClone();
        return identity;
    }

    private static string Text(JsonObject item, string key) => item.TryGetPropertyValue(key, out var value) ? value?.ToJsonString() ?? "null" : "";
}
