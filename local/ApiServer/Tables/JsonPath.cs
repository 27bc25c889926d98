using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Trestle.Local.ApiServer;

/// <summary>The JSONPath of printer columns: fields, indexes, <c>[*]</c>, <c>['a.b']</c> and <c>[?(@.f=="v")]</c>.</summary>
internal sealed partial class JsonPath
{
    private readonly List<Step> _steps = [];

    private JsonPath() { }

    /// <summary>Reads a path; null when it uses what is not supported.</summary>
    public static JsonPath? Parse(string path)
    {
        var result = new JsonPath();
        var position = 0;
        while (position < path.Length)
        {
            var match = StepPattern().Match(path, position);
            if (!match.Success) return null;
            result._steps.Add(new Step(
                match.Groups["name"].Success ? match.Groups["name"].Value : match.Groups["quoted"].Success ? match.Groups["quoted"].Value.Replace("\\.", ".", StringComparison.Ordinal) : null,
                match.Groups["index"].Success ? int.Parse(match.Groups["index"].Value) : null,
                match.Groups["field"].Success ? match.Groups["field"].Value : null,
                match.Groups["value"].Success ? match.Groups["value"].Value : null));
            position += match.Length;
        }

        return result;
    }

    public IEnumerable<JsonNode> Read(JsonNode root)
    {
        IEnumerable<JsonNode> nodes = [root];
        foreach (var step in _steps) nodes = nodes.SelectMany(step.Apply);
        return nodes;
    }

    [GeneratedRegex("""\G(?:\.(?<name>(?:[A-Za-z0-9_/-]|\\\.)+)|\[(?<index>[0-9]+)\]|\[\*\]|\['(?<quoted>[^']+)'\]|\[\?\(@\.(?<field>[A-Za-z0-9_.]+)\s*==\s*["'](?<value>[^"']*)["']\)\])""")]
    private static partial Regex StepPattern();

    private sealed record Step(string? Name, int? Index, string? Field, string? Value)
    {
        public IEnumerable<JsonNode> Apply(JsonNode node)
        {
            if (Name is not null)
            {
                if (node is JsonObject map && map[Name.Replace("\\.", ".", StringComparison.Ordinal)] is { } value) yield return value;
                yield break;
            }

            if (node is not JsonArray list) yield break;
            for (var i = 0; i < list.Count; i++)
            {
                if (list[i] is { } item && (Index is null || Index == i) && (Field is null || Equals(item, Field, Value))) yield return item;
            }
        }

        private static bool Equals(JsonNode item, string field, string? value) => item is JsonObject map && map.TextAt(field) == value;
    }
}

/// <summary>Columns of custom resources, from <c>additionalPrinterColumns</c>.</summary>
internal static class CustomColumns
{
    public static TableColumn From(JsonObject column)
    {
        var text = column.Text("jsonPath") ?? "";
        var path = JsonPath.Parse(text);
        var type = column.Text("type") ?? "string";
        var description = column.Text("description") is { Length: > 0 } given ? given : $"Custom resource definition column (in JSONPath format): {text}";
        return new TableColumn(column.Text("name") ?? "", type, description, (int)(column.Integer("priority") ?? 0), (o, now) => Read(path, type, o, now), column.Text("format") ?? "");
    }

    private static JsonNode? Read(JsonPath? path, string type, JsonObject content, DateTimeOffset now)
    {
        var found = path?.Read(content).ToArray() ?? [];
        if (found.Length == 0) return null;
        if (type == "date") return found[0].AsText() is { } time ? Columns.AgeOf(time, now) : "<unknown>";
        if (type == "string") return string.Join(',', found.Select(Show));
        return found[0] is JsonValue value && value.GetValueKind() is not JsonValueKind.String ? value.DeepClone() : null;
    }

    private static string Show(JsonNode node) => node.AsText() ?? node.ToJsonString();
}
