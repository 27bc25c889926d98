using System.Text;

namespace Trestle.Bridge.Slurm;

/// <summary>Makes text that came from a cluster fit for a status or a log: one line, no control characters, of bounded length.</summary>
internal static class Printable
{
    public static string Text(string text, int longest)
    {
        var clean = new StringBuilder(Math.Min(text.Length, longest));
        foreach (var letter in text)
        {
            if (clean.Length == longest) return clean.Append('…').ToString();
            clean.Append(char.IsControl(letter) || char.IsSurrogate(letter) ? ' ' : letter);
        }

        return clean.ToString().Trim();
    }
}
