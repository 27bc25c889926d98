using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>How one step of a path is written in FieldsV1: a field, a key of a list item, a value of a set, an index.</summary>
internal enum PathKind
{
    Field,
    Key,
    Value,
    Index,
}

/// <summary>One step of a field path. <paramref name="Text"/> is the field name, the compact JSON of keys or value, or the index.</summary>
internal readonly record struct PathElement(PathKind Kind, string Text)
{
    /// <summary>The order FieldsV1 is written in.</summary>
    public static IComparer<PathElement> Order { get; } = Comparer<PathElement>.Create(
        (a, b) => a.Kind != b.Kind ? a.Kind.CompareTo(b.Kind) : string.CompareOrdinal(a.Text, b.Text));

    /// <summary>The FieldsV1 form: <c>f:name</c>, <c>k:{"name":"A"}</c>, <c>v:"x"</c>, <c>i:0</c>.</summary>
    public string Encoded => Kind switch { PathKind.Field => "f:", PathKind.Key => "k:", PathKind.Value => "v:", _ => "i:" } + Text;

    public static PathElement? Decode(string encoded)
    {
        if (encoded.Length < 2 || encoded[1] != ':') return null;
        var text = encoded[2..];
        return encoded[0] switch
        {
            'f' => new PathElement(PathKind.Field, text),
            'k' => Normalized(PathKind.Key, text),
            'v' => Normalized(PathKind.Value, text),
            'i' => new PathElement(PathKind.Index, text),
            _ => null,
        };
    }

    /// <summary>The form conflict messages use: <c>.name</c>, <c>[name="A"]</c>, <c>[="x"]</c>, <c>[0]</c>.</summary>
    public string Display => Kind switch
    {
        PathKind.Field => "." + Text,
        PathKind.Key => "[" + string.Join(",", ((JsonObject)JsonNode.Parse(Text)!).Select(p => p.Key + "=" + Json(p.Value))) + "]",
        PathKind.Value => "[=" + Text + "]",
        _ => "[" + Text + "]",
    };

    public static PathElement Field(string name) => new(PathKind.Field, name);

    /// <summary>The identity of a list item, or its index when the list has no better one.</summary>
    public static PathElement OfItem(TypeSchema list, JsonNode? item, int index)
    {
        if (list.List == ListKind.Set) return new PathElement(PathKind.Value, Json(item));
        if (list.List != ListKind.Map || item is not JsonObject obj)
            return new PathElement(PathKind.Index, index.ToString(CultureInfo.InvariantCulture));
        var keys = new StringBuilder("{");
        foreach (var key in list.SortedKeys)
        {
            if (!obj.TryGetPropertyValue(key, out var value) && !list.KeyDefaults.TryGetValue(key, out value)) continue;
            if (keys.Length > 1) keys.Append(',');
            keys.Append(Json(JsonValue.Create(key))).Append(':').Append(Json(value));
        }

        return new PathElement(PathKind.Key, keys.Append('}').ToString());
    }

    private static PathElement? Normalized(PathKind kind, string text)
    {
        try
        {
            var parsed = JsonNode.Parse(text);
            return kind == PathKind.Key && parsed is not JsonObject ? null : new PathElement(kind, Json(parsed));
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static string Json(JsonNode? node) => node?.ToJsonString(FieldError.Relaxed) ?? "null";
}
