using System.Text;
using System.Text.RegularExpressions;

namespace Trestle.Local.ApiMachinery;

/// <summary>Patterns of Go's RE2 on .NET: linear time, ASCII classes, <c>$</c> only at the very end.</summary>
internal static class GoRegex
{
    private const int MaxPattern = 10_000;

    /// <exception cref="ArgumentException">Not a pattern RE2 would take, or one too long.</exception>
    public static Regex Compile(string pattern)
    {
        if (pattern.Length > MaxPattern) throw new ArgumentException($"the pattern is longer than {MaxPattern} characters", nameof(pattern));
        try
        {
            return new Regex(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException(e.Message, nameof(pattern), e);
        }
    }

    private static string Translate(string pattern)
    {
        var result = new StringBuilder();
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                var next = pattern[++i];
                result.Append((next, inClass) switch
                {
                    ('d', false) => "[0-9]",
                    ('D', false) => "[^0-9]",
                    ('w', false) => "[0-9A-Za-z_]",
                    ('W', false) => "[^0-9A-Za-z_]",
                    ('s', false) => @"[\t\n\f\r ]",
                    ('S', false) => @"[^\t\n\f\r ]",
                    ('d', true) => "0-9",
                    ('w', true) => "0-9A-Za-z_",
                    ('s', true) => @"\t\n\f\r ",
                    ('z', false) => @"\z",
                    _ => @"\" + next,
                });
                continue;
            }

            if (c == '[' && inClass && i + 1 < pattern.Length && pattern[i + 1] == ':')
            {
                var end = pattern.IndexOf(":]", i + 2, StringComparison.Ordinal);
                if (end > 0 && PosixClass(pattern[(i + 2)..end]) is { } set)
                {
                    result.Append(set);
                    i = end + 1;
                    continue;
                }
            }

            if (c == '[' && inClass)
            {
                result.Append(@"\[");
                continue;
            }

            if (c == '[')
            {
                inClass = true;
                result.Append(c);
                if (i + 1 < pattern.Length && pattern[i + 1] == '^') result.Append(pattern[++i]);
                if (i + 1 < pattern.Length && pattern[i + 1] == ']')
                {
                    result.Append(@"\]");
                    i++;
                }

                continue;
            }

            if (c == ']') inClass = false;
            if (c == '(' && !inClass && pattern.AsSpan(i).StartsWith("(?P<"))
            {
                result.Append("(?<");
                i += 3;
                continue;
            }

            result.Append(c == '$' && !inClass ? @"\z" : c.ToString());
        }

        return result.ToString();
    }

    private static string? PosixClass(string name) => name switch
    {
        "alpha" => "A-Za-z",
        "digit" => "0-9",
        "alnum" => "0-9A-Za-z",
        "lower" => "a-z",
        "upper" => "A-Z",
        "space" => @"\t\n\v\f\r ",
        "xdigit" => "0-9A-Fa-f",
        "word" => "0-9A-Za-z_",
        "punct" => @"!-/:-@\[-`{-~",
        _ => null,
    };
}
