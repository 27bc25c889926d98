using System.Text;
using System.Text.RegularExpressions;

namespace Trestle.Cli.Launching;

/// <summary>
/// The part of .gitignore that people use: comments, negation, anchored and floating patterns, directories, *, ?, [] and **.
/// The last rule that matches decides, as in git.
/// </summary>
internal sealed class IgnoreRules
{
    private readonly List<(Regex Pattern, bool Negated, bool DirectoryOnly)> _rules = [];

    public static IgnoreRules Parse(IEnumerable<string> lines)
    {
        var rules = new IgnoreRules();
        foreach (var line in lines)
        {
            rules.Add(line.TrimEnd());
        }

        return rules;
    }

    /// <param name="path">Relative to the directory of the rules, with '/' between names.</param>
    /// <param name="isDirectory">A rule that ends in '/' matches directories alone.</param>
    public bool Ignores(string path, bool isDirectory)
    {
        var ignored = false;
        foreach (var (pattern, negated, directoryOnly) in _rules)
        {
            if ((isDirectory || !directoryOnly) && pattern.IsMatch(path))
            {
                ignored = !negated;
            }
        }

        return ignored;
    }

    private void Add(string line)
    {
        if (line.Length == 0 || line[0] == '#')
        {
            return;
        }

        var negated = line[0] == '!';
        var pattern = negated ? line[1..] : line;
        var directoryOnly = pattern.EndsWith('/');
        pattern = pattern.TrimEnd('/');
        if (pattern.Length > 0)
        {
            _rules.Add((ToRegex(pattern), negated, directoryOnly));
        }
    }

    private static Regex ToRegex(string pattern)
    {
        var anchored = pattern.Contains('/', StringComparison.Ordinal);
        var text = new StringBuilder(anchored ? "^" : "(^|/)");
        var body = pattern.TrimStart('/');
        for (var index = 0; index < body.Length; index++)
        {
            if (body[index] == '*' && index + 1 < body.Length && body[index + 1] == '*')
            {
                var slash = index + 2 < body.Length && body[index + 2] == '/';
                text.Append(slash ? "(.*/)?" : ".*");
                index += slash ? 2 : 1;
            }
            else if (body[index] == '[' && body.IndexOf(']', index) is var end and > 0)
            {
                text.Append('[').Append(Regex.Escape(body[(index + 1)..end]).Replace("!", "^", StringComparison.Ordinal)).Append(']');
                index = end;
            }
            else
            {
                text.Append(body[index] switch
                {
                    '*' => "[^/]*",
                    '?' => "[^/]",
                    var other => Regex.Escape(other.ToString()),
                });
            }
        }

        return new Regex(text.Append('$').ToString(), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, TimeSpan.FromSeconds(1));
    }
}
