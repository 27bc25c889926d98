using System.Globalization;

namespace Trestle.Local.ApiMachinery;

/// <summary>A parsed label selector of a list request.</summary>
public sealed class LabelSelector
{
    private readonly List<Requirement> requirements;

    internal LabelSelector(List<Requirement> requirements) => this.requirements = requirements;

    internal enum Test { In, NotIn, Exists, Missing, Greater, Less }

    /// <summary>True when it selects everything.</summary>
    public bool IsEmpty => requirements.Count == 0;

    /// <summary>Reads <c>a=b,c in (d,e),!f</c>; throws <see cref="SelectorException"/> with the server's message.</summary>
    public static LabelSelector Parse(string? text) => new LabelSelectorParser(text ?? "").Parse();

    /// <summary>True when every requirement holds.</summary>
    public bool Matches(IReadOnlyDictionary<string, string> labels) => requirements.All(r => r.Holds(labels.GetValueOrDefault(r.Key)));

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
