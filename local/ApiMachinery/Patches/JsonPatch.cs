using System.Globalization;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>JSON Patch, RFC 6902. Any failure answers 422 as the real server does, which gives no details.</summary>
public static class JsonPatch
{
    /// <summary>More operations than this are refused with 413, as a Kubernetes API server does.</summary>
    public const int MaxOperations = 10_000;

    /// <summary>Returns the patched document; neither argument is changed.</summary>
    public static JsonNode? Apply(JsonNode? original, JsonArray patch)
    {
        if (patch.Count > MaxOperations)
            throw new PatchException(413, $"The allowed maximum operations in a JSON patch is {MaxOperations}, got {patch.Count}");
        var document = original?.DeepClone();
        foreach (var item in patch)
        {
            if (item is not JsonObject operation) throw new PatchException(400, "json: cannot unmarshal into a JSON patch operation: expected an object");
            document = ApplyOne(document, operation);
        }

        return document;
    }

    private static JsonNode? ApplyOne(JsonNode? document, JsonObject operation)
    {
        var path = Pointer(operation, "path");
        switch (JsonKinds.Text(operation["op"]))
        {
            case "add":
                return Add(document, path, Value(operation)?.DeepClone());
            case "remove":
                return Remove(document, path, out _);
            case "replace":
                var replacement = Value(operation)?.DeepClone();
                if (path.Length == 0) return replacement;
                Find(document, path);
                document = Remove(document, path, out _);
                return Add(document, path, replacement);
            case "move":
                var source = Pointer(operation, "from");
                if (path.Length > source.Length && path.AsSpan(0, source.Length).SequenceEqual(source)) throw PatchException.Rejected();
                document = Remove(document, source, out var moved);
                return Add(document, path, moved);
            case "copy":
                return Add(document, path, Find(document, Pointer(operation, "from"))?.DeepClone());
            case "test":
                if (!JsonNode.DeepEquals(FindOrNull(document, path), Value(operation))) throw PatchException.Rejected();
                return document;
            default:
                throw PatchException.Rejected();
        }
    }

    private static JsonNode? Value(JsonObject operation) =>
        operation.TryGetPropertyValue("value", out var value) ? value : throw PatchException.Rejected();

    private static string[] Pointer(JsonObject operation, string name)
    {
        var text = JsonKinds.Text(operation[name]) ?? throw PatchException.Rejected();
        if (text.Length == 0) return [];
        if (text[0] != '/') throw PatchException.Rejected();
        return text[1..].Split('/').Select(t => t.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)).ToArray();
    }

    private static JsonNode? Find(JsonNode? document, ReadOnlySpan<string> path)
    {
        foreach (var token in path)
        {
            document = document switch
            {
                JsonObject obj when obj.TryGetPropertyValue(token, out var value) => value,
                JsonArray list => list[Index(token, list.Count - 1)],
                _ => throw PatchException.Rejected(),
            };
        }

        return document;
    }

    // A test of a missing member against null passes in the library the API server uses.
    private static JsonNode? FindOrNull(JsonNode? document, ReadOnlySpan<string> path)
    {
        if (path.Length == 0) return document;
        var parent = Find(document, path[..^1]);
        return parent is JsonObject obj ? obj[path[^1]] : Find(document, path);
    }

    private static JsonNode? Add(JsonNode? document, ReadOnlySpan<string> path, JsonNode? value)
    {
        if (path.Length == 0) return value;
        switch (Find(document, path[..^1]))
        {
            case JsonObject obj:
                obj[path[^1]] = value;
                break;
            case JsonArray list:
                list.Insert(path[^1] == "-" ? list.Count : Index(path[^1], list.Count), value);
                break;
            default:
                throw PatchException.Rejected();
        }

        return document;
    }

    private static JsonNode? Remove(JsonNode? document, ReadOnlySpan<string> path, out JsonNode? removed)
    {
        if (path.Length == 0)
        {
            removed = document;
            return null;
        }

        switch (Find(document, path[..^1]))
        {
            case JsonObject obj when obj.TryGetPropertyValue(path[^1], out removed):
                obj.Remove(path[^1]);
                return document;
            case JsonArray list:
                var index = Index(path[^1], list.Count - 1);
                removed = list[index];
                list.RemoveAt(index);
                return document;
            default:
                throw PatchException.Rejected();
        }
    }

    private static int Index(string token, int max)
    {
        var plain = token is "0" || (token.Length > 0 && token[0] is >= '1' and <= '9');
        if (plain && int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= max) return index;
        throw PatchException.Rejected();
    }
}
