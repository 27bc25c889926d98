namespace Trestle.Cli.Launching;

/// <summary>Words of a command line as one line of sh.</summary>
internal static class ShellWords
{
    /// <summary>One word is a script as it stands; several are a command, each quoted where it must be.</summary>
    public static string ToScript(IReadOnlyList<string> words) =>
        words is [var script] ? script : string.Join(' ', words.Select(Quote));

    internal static string Quote(string word) =>
        word.Length > 0 && word.All(character => char.IsAsciiLetterOrDigit(character) || "@%+=:,./-_".Contains(character, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
