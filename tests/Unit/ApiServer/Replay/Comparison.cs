using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Trestle.Local.ApiServer.Tests;

/// <summary>Takes out of an answer what differs between any two servers: ids, times, versions, generated names.</summary>
internal static partial class Comparison
{
    public static string Normalize(string name, string text)
    {
        if (text.Length == 0 || text[0] != '{') return Text(name, text).Trim();
        return string.Join('\n', Recording.ParseMany(text).Select(o => Sorted(Node(name, Exceptions.Apply(name, o))!).ToJsonString(new() { WriteIndented = true })));
    }

    private static JsonNode? Node(string name, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                var result = new JsonObject();
                foreach (var (key, value) in map) result[Text(name, key)] = Property(name, key, value);
                return result;
            case JsonArray list:
                return new JsonArray([.. list.Select(i => Node(name, i))]);
            case JsonValue value when value.GetValueKind() == System.Text.Json.JsonValueKind.String:
                return Text(name, value.GetValue<string>());
            default:
                return node?.DeepClone();
        }
    }

    private static JsonNode? Property(string name, string key, JsonNode? value) => key switch
    {
        "resourceVersion" when value is JsonValue => (string?)value is "" ? "" : "<rv>",
        "continue" when value.AsText() is { Length: > 0 } => "<continue>",
        "remainingItemCount" => "<count>",
        "serverAddress" => "<address>",
        // Entries written in the same second are ordered by name, others by time.
        "managedFields" when value is JsonArray list => new JsonArray([.. list.Select(e => Node(name, e)).OrderBy(e => Sorted(e!).ToJsonString(), StringComparer.Ordinal)]),
        "cells" when value is JsonArray cells => new JsonArray([.. cells.Select(c => c?.GetValueKind() == System.Text.Json.JsonValueKind.String ? Age().Replace((string)c!, "<age>") : c?.DeepClone())]),
        _ => Node(name, value),
    };

    private static JsonNode Sorted(JsonNode node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, p.Value is null ? null : Sorted(p.Value)))),
        JsonArray list => new JsonArray([.. list.Select(i => i is null ? null : Sorted(i))]),
        _ => node.DeepClone(),
    };

    private static string Text(string name, string text)
    {
        text = Uid().Replace(text, "<uid>");
        text = Time().Replace(text, "<time>");
        text = Generated().Replace(text, "gen-<x>");
        return Exceptions.Text(name, text);
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uid();

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")]
    private static partial Regex Time();

    [GeneratedRegex("gen-[a-z0-9]{5}")]
    private static partial Regex Generated();

    [GeneratedRegex(@"^(\d+[smhd])+$")]
    private static partial Regex Age();
}
