using System.Globalization;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>A parsed label selector: the string form of a list request or the object form of a spec.</summary>
public sealed class LabelSelector
{
    private readonly List<Requirement> requirements;

    internal LabelSelector(List<Requirement> requirements) => this.requirements = requirements;

    internal enum Test { In, NotIn, Exists, Missing, Greater, Less }

    /// <summary>True when it selects everything.</summary>
    public bool IsEmpty => requirements.Count == 0;

    /// <summary>Reads <c>a=b,c in (d,e),!f</c>; throws <see cref="SelectorException"/> with the server's message.</summary>
    public static LabelSelector Parse(string? text) => new LabelSelectorParser(text ?? "").Parse();

    /// <summary>Reads the object form (<c>matchLabels</c>, <c>matchExpressions</c>).</summary>
    public static LabelSelector FromObject(JsonObject selector)
    {
        var parsed = new List<Requirement>();
        foreach (var (key, value) in selector["matchLabels"] as JsonObject ?? [])
            parsed.Add(new Requirement(key, Test.In, [JsonKinds.Text(value) ?? ""]));
        foreach (var item in (selector["matchExpressions"] as JsonArray ?? []).Select(i => i as JsonObject ?? []))
        {
            var values = (item["values"] as JsonArray ?? []).Select(v => JsonKinds.Text(v) ?? "").ToList();
            var test = JsonKinds.Text(item["operator"]) switch
            {
                "In" => Test.In,
                "NotIn" => Test.NotIn,
                "Exists" => Test.Exists,
                "DoesNotExist" => Test.Missing,
                var other => throw new SelectorException($"\"{other}\" is not a valid label selector operator"),
            };
            parsed.Add(new Requirement(JsonKinds.Text(item["key"]) ?? "", test, values));
        }

        return new LabelSelector(parsed);
    }

    public bool Matches(IReadOnlyDictionary<string, string>? labels) =>
        requirements.All(r => r.Holds(labels is not null && labels.TryGetValue(r.Key, out var value) ? value : null));

    public bool Matches(JsonObject? labels) => requirements.All(r => r.Holds(JsonKinds.Text(labels?[r.Key])));

    internal sealed record Requirement(string Key, Test Test, IReadOnlyList<string> Values)
    {
        public bool Holds(string? value) => Test switch
        {
            Test.In => value is not null && Values.Contains(value, StringComparer.Ordinal),
            Test.NotIn => value is null || !Values.Contains(value, StringComparer.Ordinal),
            Test.Exists => value is not null,
            Test.Missing => value is null,
            _ => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                && long.TryParse(Values[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var bound)
                && (Test == Test.Greater ? number > bound : number < bound),
        };
    }
}
