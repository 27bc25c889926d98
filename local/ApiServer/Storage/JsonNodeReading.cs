using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>Reads of untrusted JSON that give null, not an exception, where the type is another one.</summary>
internal static class JsonNodeReading
{
    public static JsonObject? Object(this JsonObject? node, string name) => node is not null && node.TryGetPropertyValue(name, out var value) ? value as JsonObject : null;

    public static JsonArray? Array(this JsonObject? node, string name) => node is not null && node.TryGetPropertyValue(name, out var value) ? value as JsonArray : null;

    public static string? Text(this JsonObject? node, string name) => node is not null && node.TryGetPropertyValue(name, out var value) ? value.AsText() : null;

    public static bool Flag(this JsonObject? node, string name) => node is not null && node.TryGetPropertyValue(name, out var value) && value is JsonValue v && v.TryGetValue<bool>(out var flag) && flag;

    public static long? Integer(this JsonObject? node, string name) => node is not null && node.TryGetPropertyValue(name, out var value) ? value.AsInteger() : null;

    public static string? AsText(this JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    public static long? AsInteger(this JsonNode? node)
    {
        if (node is not JsonValue value) return null;
        if (value.TryGetValue<long>(out var integer)) return integer;
        if (value.TryGetValue<int>(out var small)) return small;
        return value.TryGetValue<double>(out var number) && number == Math.Floor(number) && Math.Abs(number) < long.MaxValue ? (long)number : null;
    }

    /// <summary>The object at <paramref name="name"/>, made when it is missing or something else.</summary>
    public static JsonObject Ensure(this JsonObject node, string name)
    {
        if (node.Object(name) is { } existing) return existing;
        var made = new JsonObject();
        node[name] = made;
        return made;
    }

    /// <summary>Sets a value only where there is none.</summary>
    public static void Default(this JsonObject node, string name, JsonNode? value)
    {
        if (!node.TryGetPropertyValue(name, out var existing) || existing is null) node[name] = value;
    }

    /// <summary>The value at a path such as <c>.spec.nodes</c>, or null.</summary>
    public static JsonNode? At(this JsonObject root, string path)
    {
        JsonNode? node = root;
        foreach (var step in path.Split('.', StringSplitOptions.RemoveEmptyEntries)) node = (node as JsonObject)?[step];
        return node;
    }

    /// <summary>Sets the value at a path, making the objects on the way.</summary>
    public static void Put(this JsonObject root, string path, JsonNode? value)
    {
        var steps = path.Split('.', StringSplitOptions.RemoveEmptyEntries);
        foreach (var step in steps.SkipLast(1)) root = root.Ensure(step);
        root[steps[^1]] = value;
    }

    /// <summary>The text a field selector or a table sees at a dotted path; "" when there is none.</summary>
    public static string TextAt(this JsonObject root, string path)
    {
        JsonNode? node = root;
        foreach (var step in path.Split('.')) node = (node as JsonObject)?[step];
        return node switch
        {
            null => "",
            JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
            JsonValue value => value.ToJsonString(),
            _ => "",
        };
    }
}
