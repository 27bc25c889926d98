using System.Text;

namespace Trestle.Local.ApiMachinery;

/// <summary>One requirement of a field selector. <paramref name="Operator"/> is <c>=</c> or <c>!=</c> (<c>==</c> reads as <c>=</c>).</summary>
public sealed record FieldRequirement(string Path, string Operator, string Value);

/// <summary>A parsed <c>fieldSelector</c>; which paths a kind supports is the caller's knowledge.</summary>
public sealed class FieldSelector
{
    private FieldSelector(IReadOnlyList<FieldRequirement> requirements) => Requirements = requirements;

    /// <summary>All must hold; none selects everything.</summary>
    public IReadOnlyList<FieldRequirement> Requirements { get; }

    /// <summary>Reads <c>a=b,c!=d</c>; throws <see cref="SelectorException"/> with the server's message.</summary>
    public static FieldSelector Parse(string? text)
    {
        var requirements = new List<FieldRequirement>();
        foreach (var term in SplitTerms(text ?? ""))
        {
            if (term.Length == 0) continue;
            requirements.Add(ParseTerm(term));
        }

        return new FieldSelector(requirements);
    }

    /// <summary>Refuses a path the kind has no index for, with the server's sentence.</summary>
    public FieldSelector RequireSupported(IReadOnlySet<string> paths)
    {
        foreach (var requirement in Requirements)
            if (!paths.Contains(requirement.Path)) throw new SelectorException($"field label not supported: {requirement.Path}");
        return this;
    }

    /// <summary>True when every requirement holds; <paramref name="read"/> gives a path's value, empty when it is not set.</summary>
    public bool Matches(Func<string, string> read) =>
        Requirements.All(r => string.Equals(read(r.Path), r.Value, StringComparison.Ordinal) == (r.Operator == "="));

    private static FieldRequirement ParseTerm(string term)
    {
        for (var i = 0; i < term.Length; i++)
        {
            if (term[i] == '\\') { i++; continue; }
            if (term.AsSpan(i).StartsWith("!=")) return Make(term, i, 2, "!=");
            if (term.AsSpan(i).StartsWith("==")) return Make(term, i, 2, "=");
            if (term[i] == '=') return Make(term, i, 1, "=");
        }

        throw new SelectorException($"invalid selector: '{term}'; can't understand '{term}'");
    }

    private static FieldRequirement Make(string term, int at, int length, string op) =>
        new(term[..at], op, Unescape(term[(at + length)..]));

    private static List<string> SplitTerms(string text)
    {
        var terms = new List<string>();
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == ',')
            {
                terms.Add(text[start..i]);
                start = i + 1;
            }
        }

        terms.Add(text[Math.Min(start, text.Length)..]);
        return terms;
    }

    private static string Unescape(string value)
    {
        var plain = new StringBuilder();
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '\\')
            {
                i++;
                if (i == value.Length || value[i] is not ('\\' or ',' or '='))
                    throw new SelectorException($"invalid field selector: invalid escape sequence: \\{(i < value.Length ? value[i] : "")}");
            }
            else if (value[i] is '=')
            {
                throw new SelectorException($"invalid field selector: unescaped character in value: {value[i]}");
            }

            plain.Append(value[i]);
        }

        return plain.ToString();
    }
}
