using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>Which lines of a pod's spec a refused update would have changed.</summary>
internal static class PodDiff
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static string Show(JsonObject before, JsonObject after)
    {
        var fields = before.Select(p => p.Key).Union(after.Select(p => p.Key)).Where(f => !JsonNode.DeepEquals(before[f], after[f]));
        var text = new StringBuilder();
        foreach (var field in fields.Order(StringComparer.Ordinal))
        {
            Write(text, '-', field, before[field]);
            Write(text, '+', field, after[field]);
        }

        return text.ToString();
    }

    private static void Write(StringBuilder text, char sign, string field, JsonNode? value)
    {
        if (value is null) return;
        foreach (var line in $"\"{field}\": {value.ToJsonString(Indented)}".Split('\n')) text.Append(sign).Append(' ').Append(line).Append('\n');
    }
}
