namespace Trestle.Node;

/// <summary>The arguments of a command: pairs of --name value.</summary>
internal static class Options
{
    /// <summary>The values of exactly these names; null when one is missing, unknown or given twice.</summary>
    public static Dictionary<string, string>? Read(IReadOnlyList<string> arguments, params ReadOnlySpan<string> names)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        if (arguments.Count != names.Length * 2) return null;
        for (var at = 0; at < arguments.Count; at += 2)
        {
            if (!names.Contains(arguments[at]) || arguments[at + 1].Length == 0 || !given.TryAdd(arguments[at], arguments[at + 1])) return null;
        }

        return given;
    }

    /// <summary>An http address; null when it is none.</summary>
    public static Uri? Url(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url : null;
}
