using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>JSON values by their OpenAPI type, whatever .NET type holds them.</summary>
internal static class JsonKinds
{
    /// <summary>string, integer, number, boolean, array, object or null. 1.0 is an integer, as OpenAPI has it.</summary>
    public static string Name(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject => "object",
        JsonArray => "array",
        _ => node.GetValueKind() switch
        {
            JsonValueKind.String => "string",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            JsonValueKind.Number => TryInteger(node, out _) ? "integer" : "number",
            _ => "null",
        },
    };

    public static bool TryInteger(JsonNode? node, out long value)
    {
        value = 0;
        if (node is not JsonValue json || json.GetValueKind() != JsonValueKind.Number) return false;
        if (json.TryGetValue(out value)) return true;
        if (json.TryGetValue(out int small))
        {
            value = small;
            return true;
        }

        if (!TryNumber(node, out var number) || number != Math.Floor(number) || Math.Abs(number) >= 9.2e18) return false;
        value = (long)number;
        return true;
    }

    public static bool TryNumber(JsonNode? node, out double value)
    {
        value = 0;
        if (node is not JsonValue json || json.GetValueKind() != JsonValueKind.Number) return false;
        return json.TryGetValue(out value)
            || double.TryParse(json.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    public static string? Text(JsonNode? node) =>
        node is JsonValue json && json.GetValueKind() == JsonValueKind.String ? json.GetValue<string>() : null;

    public static bool IsTrue(JsonNode? node) => node is JsonValue json && json.GetValueKind() == JsonValueKind.True;
}
