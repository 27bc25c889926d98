using System.Text;

namespace Trestle.Cli.Output;

/// <summary>Text from the cluster on its way to a terminal: one line, and no escape sequences.</summary>
internal static class Printable
{
    public static string Line(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        return text.Any(char.IsControl) ? Clean(text) : text;
    }

    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            clean.Append(character is '\n' or '\t' ? ' ' : char.IsControl(character) ? '?' : character);
        }

        return clean.ToString().TrimEnd();
    }
}
