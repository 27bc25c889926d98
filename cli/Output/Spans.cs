using System.Globalization;

namespace Trestle.Cli.Output;

/// <summary>Durations as people type them: 30s, 5m, 1h30m, 2d.</summary>
internal static class Spans
{
    /// <summary>Null when it is no duration.</summary>
    public static TimeSpan? TryParse(string text)
    {
        var total = TimeSpan.Zero;
        var at = 0;
        while (at < text.Length)
        {
            var digits = at;
            while (at < text.Length && char.IsAsciiDigit(text[at]))
            {
                at++;
            }

            if (at == digits || at == text.Length
                || !int.TryParse(text.AsSpan(digits, at - digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || UnitSeconds(text[at++]) is not { } unit)
            {
                return null;
            }

            total += TimeSpan.FromSeconds((double)number * unit);
        }

        return text.Length == 0 ? null : total;
    }

    private static int? UnitSeconds(char unit) => unit switch
    {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => null,
    };
}
