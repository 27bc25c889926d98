using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Trestle.Api.V1Alpha1;

/// <summary>Durations as manifests write them: whole numbers with ms, s, m, h or d, e.g. <c>30s</c>, <c>1h30m</c>, <c>2d</c>.</summary>
public static class Duration
{
    /// <summary>What the schema asks of a duration.</summary>
    public const string Pattern = "^([0-9]{1,6}(ms|s|m|h|d))+$";

    /// <summary>Longest text the schema takes.</summary>
    public const int MaxLength = 32;

    private static readonly (string Unit, TimeSpan Length)[] Units =
    [
        ("d", TimeSpan.FromDays(1)), ("h", TimeSpan.FromHours(1)), ("m", TimeSpan.FromMinutes(1)),
        ("s", TimeSpan.FromSeconds(1)), ("ms", TimeSpan.FromMilliseconds(1)),
    ];

    /// <summary>False when the text is not a duration.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (string.IsNullOrEmpty(text) || text.Length > MaxLength)
        {
            return false;
        }

        var at = 0;
        while (at < text.Length)
        {
            if (!TryReadPart(text, ref at, out var part))
            {
                duration = TimeSpan.Zero;
                return false;
            }

            duration += part;
        }

        return true;
    }

    /// <summary>The duration, or <see cref="FormatException"/> with a sentence.</summary>
    public static TimeSpan Parse(string text) =>
        TryParse(text, out var duration) ? duration : throw new FormatException($"a duration is a number with a unit, e.g. 30s, 10m or 1h30m; got '{text}'");

    /// <summary>The duration, or the fallback when the text is absent.</summary>
    public static TimeSpan ParseOr(string? text, TimeSpan fallback) => text is null ? fallback : Parse(text);

    /// <summary>Shortest text that reads back to the same duration, down to milliseconds.</summary>
    public static string Format(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, TimeSpan.Zero);
        var text = new StringBuilder();
        foreach (var (unit, length) in Units)
        {
            var count = duration.Ticks / length.Ticks;
            duration -= TimeSpan.FromTicks(count * length.Ticks);
            if (count > 0)
            {
                text.Append(count.ToString(CultureInfo.InvariantCulture)).Append(unit);
            }
        }

        return text.Length == 0 ? "0s" : text.ToString();
    }

    private static bool TryReadPart(string text, ref int at, out TimeSpan part)
    {
        part = TimeSpan.Zero;
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }

        if (at == start || at - start > 6)
        {
            return false;
        }

        var count = long.Parse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture);
        var unitStart = at;
        while (at < text.Length && char.IsAsciiLetter(text[at]))
        {
            at++;
        }

        var unit = text[unitStart..at];
        foreach (var (name, length) in Units)
        {
            if (name == unit)
            {
                part = length * count;
                return true;
            }
        }

        return false;
    }
}
