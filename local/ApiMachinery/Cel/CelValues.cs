using System.Collections;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>A CEL map or object at run time.</summary>
internal interface ICelMap
{
    int Count { get; }

    IEnumerable<object?> Keys { get; }

    bool TryGet(object? key, out object? value);
}

/// <summary>The value of <c>type(x)</c>.</summary>
internal sealed record CelTypeValue(string Name);

/// <summary>An optional; <paramref name="HasValue"/> false is <c>optional.none()</c>.</summary>
internal sealed record CelOptional(bool HasValue, object? Value)
{
    public static readonly CelOptional None = new(false, null);
}

/// <summary>A map literal.</summary>
internal sealed class CelMap(IReadOnlyList<(object? Key, object? Value)> entries) : ICelMap
{
    public int Count => entries.Count;

    public IEnumerable<object?> Keys => entries.Select(e => e.Key);

    public bool TryGet(object? key, out object? value)
    {
        foreach (var entry in entries)
        {
            if (!CelOperators.AreEqual(entry.Key, key)) continue;
            value = entry.Value;
            return true;
        }

        value = null;
        return false;
    }
}

/// <summary>A JSON array seen through its schema; items convert when they are read.</summary>
internal sealed class JsonCelList(JsonArray array, SchemaNode? schema) : IReadOnlyList<object?>
{
    public int Count => array.Count;

    public object? this[int index] => CelJson.ToCel(array[index], schema?.Items);

    public IEnumerator<object?> GetEnumerator()
    {
        for (var i = 0; i < array.Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A JSON object seen through its schema; fields of an object go by their CEL names.</summary>
internal sealed class JsonCelMap(JsonObject json, SchemaNode? schema) : ICelMap
{
    public int Count => json.Count;

    public IEnumerable<object?> Keys => json.Select(p => p.Key);

    public bool TryGet(object? key, out object? value)
    {
        value = null;
        if (key is not string name) return false;
        if (!json.TryGetPropertyValue(name, out var node))
        {
            var original = json.Select(p => p.Key).FirstOrDefault(k => k != name && CelNames.Escape(k) == name);
            if (schema is { Additional: not null } || original is null) return false;
            name = original;
            node = json[name];
        }

        value = CelJson.ToCel(node, schema?.Properties.GetValueOrDefault(name) ?? schema?.Additional);
        return true;
    }
}

/// <summary>JSON to CEL values, by the schema where there is one.</summary>
internal static class CelJson
{
    public static object? ToCel(JsonNode? node, SchemaNode? schema)
    {
        switch (node)
        {
            case null: return null;
            case JsonArray array: return new JsonCelList(array, schema);
            case JsonObject obj: return new JsonCelMap(obj, schema);
        }

        switch (node.GetValueKind())
        {
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            case JsonValueKind.String: return Text(node.GetValue<string>(), schema?.Format);
            default:
                if (schema?.Type != "number" && JsonKinds.TryInteger(node, out var integer)) return integer;
                return JsonKinds.TryNumber(node, out var number) ? number : throw new CelException("unreadable number");
        }
    }

    private static object Text(string text, string? format)
    {
        switch (format)
        {
            case "date" or "date-time":
                return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
                    ? time
                    : throw new CelException($"invalid data, expected a timestamp: {text}");
            case "duration":
                return GoDuration.TryParse(text, out var duration) ? duration : throw new CelException($"invalid data, expected a duration: {text}");
            case "byte":
                var bytes = new byte[(text.Length / 4 * 3) + 3];
                return Convert.TryFromBase64String(text, bytes, out var written) ? bytes[..written] : throw new CelException("invalid data, expected base64");
            default:
                return text;
        }
    }
}
