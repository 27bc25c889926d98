using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Trestle.Local.ApiServer;

/// <summary>Resource quantities such as <c>10m</c>, <c>256Gi</c> and <c>8</c>.</summary>
internal static partial class Quantity
{
    public static bool IsValid(JsonNode? value) =>
        value is JsonValue v && (v.GetValueKind() == JsonValueKind.Number || (v.AsText() is { } text && Pattern().IsMatch(text)));

    [GeneratedRegex("^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][-+]?[0-9]+)?\\z", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}
