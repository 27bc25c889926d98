using System.Globalization;

namespace Trestle.Cli.Logs;

/// <summary>One line of a container as the API gives it with timestamps=true: RFC 3339 time, a blank, the text.</summary>
/// <param name="Stamp">The time exactly as sent: nanoseconds, more than a .NET date holds.</param>
/// <param name="Text">The rest of the line.</param>
internal readonly record struct LogLine(string Stamp, string Text)
{
    public static LogLine Parse(string line)
    {
        var blank = line.IndexOf(' ', StringComparison.Ordinal);
        var stamp = blank < 0 ? line : line[..blank];
        return IsStamp(stamp) ? new LogLine(stamp, blank < 0 ? "" : line[(blank + 1)..]) : new LogLine("", line);
    }

    /// <summary>The stamp in a form whose ordinal order is the order in time; "" for a line without one.</summary>
    public string Order => Stamp.Length == 0 ? "" : Normalise(Stamp);

    // The fraction is written without trailing zeros, so "…:01Z" and "…:01.5Z" don't compare as text.
    private static string Normalise(string stamp)
    {
        if (!stamp.EndsWith('Z'))
        {
            return DateTimeOffset.Parse(stamp, CultureInfo.InvariantCulture).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffff00", CultureInfo.InvariantCulture);
        }

        var dot = stamp.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? stamp[..^1] + ".000000000" : stamp[..^1].PadRight(dot + 10, '0');
    }

    private static bool IsStamp(string text) =>
        text.Length >= 20 && text[4] == '-' && text[10] == 'T' && char.IsAsciiDigit(text[0])
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
}
