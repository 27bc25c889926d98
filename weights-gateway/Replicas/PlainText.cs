using System.Globalization;
using System.Text;

namespace Trestle.WeightsGateway.Replicas;

/// <summary>What engines say, for people: one line, cut, without anything that a terminal obeys.</summary>
internal static class PlainText
{
    /// <summary>Longest text, in characters.</summary>
    public const int Longest = 300;

    /// <summary>Of a longer one the end counts: what a program said last is why it ended.</summary>
    public static string Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var plain = new StringBuilder();
        foreach (var rune in text.EnumerateRunes()) plain.Append(IsPlain(rune) ? rune.ToString() : " ");
        var line = string.Join(' ', plain.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= Longest ? line : "…" + line[^(Longest - 1)..].TrimStart(LowSurrogates);
    }

    private static readonly char[] LowSurrogates = [.. Enumerable.Range(0xDC00, 0x400).Select(code => (char)code)];

    private static bool IsPlain(Rune rune) => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
