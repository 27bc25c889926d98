using System.Globalization;

namespace Trestle.Bridge.Slurm;

/// <summary>Names of nodes as Slurm writes them: <c>gpu[1-4,7],cpu1</c>, <c>rack[1-2]n[01-03]</c>.</summary>
internal static class HostList
{
    /// <summary>The names; those beyond <paramref name="most"/>, and what is no list, are left out.</summary>
    public static IReadOnlyList<string> Expand(string text, int most = 10_000)
    {
        var names = new List<string>();
        foreach (var part in Parts(text))
        {
            if (names.Count >= most) break;
            names.AddRange(ExpandOne(part, most - names.Count).Take(most - names.Count));
        }

        return names;
    }

    // Split at the commas outside of brackets.
    private static IEnumerable<string> Parts(string text)
    {
        var (start, depth) = (0, 0);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '[') depth++;
            else if (text[at] == ']') depth--;
            else if (text[at] == ',' && depth == 0)
            {
                if (at > start) yield return text[start..at];
                start = at + 1;
            }
        }

        if (start < text.Length) yield return text[start..];
    }

    private static IEnumerable<string> ExpandOne(string part, int most)
    {
        var open = part.IndexOf('[', StringComparison.Ordinal);
        var close = open < 0 ? -1 : part.IndexOf(']', open);
        if (open < 0) return part.Contains(']', StringComparison.Ordinal) ? [] : [part];
        if (close < 0) return [];
        var (head, tails) = (part[..open], part[(close + 1)..] is { Length: > 0 } tail ? ExpandOne(tail, most) : [""]);
        return from range in part[(open + 1)..close].Split(',')
               from number in Range(range, most)
               from end in tails
               select head + number + end;
    }

    private static IEnumerable<string> Range(string range, int most)
    {
        if (range.Split('-', 2) is not [var first, var last]) return range.All(char.IsAsciiDigit) && range.Length > 0 ? [range] : [];
        if (!int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from) || !int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var to) || to < from) return [];
        var format = "D" + first.Length.ToString(CultureInfo.InvariantCulture);
        return Enumerable.Range(from, Math.Min(to - from + 1, most)).Select(number => number.ToString(format, CultureInfo.InvariantCulture));
    }
}
