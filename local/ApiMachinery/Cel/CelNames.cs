using System.Text;

namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>Property names as CEL identifiers: k8s escapes what is not one (<c>a-b</c> is <c>a__dash__b</c>, <c>in</c> is <c>__in__</c>).</summary>
internal static class CelNames
{
    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
    };

    /// <summary>The CEL name of a property; null when it cannot have one.</summary>
    public static string? Escape(string name)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0])) return null;
        if (Keywords.Contains(name)) return $"__{name}__";
        var result = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            switch (name[i])
            {
                case '_' when i + 1 < name.Length && name[i + 1] == '_':
                    result.Append("__underscores__");
                    i++;
                    break;
                case '.': result.Append("__dot__"); break;
                case '-': result.Append("__dash__"); break;
                case '/': result.Append("__slash__"); break;
                case var c when char.IsAsciiLetterOrDigit(c) || c == '_': result.Append(c); break;
                default: return null;
            }
        }

        return result.ToString();
    }
}
