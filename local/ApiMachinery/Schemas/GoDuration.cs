using System.Globalization;

namespace Trestle.Local.ApiMachinery;

/// <summary>Durations as Go writes them: <c>1h30m</c>, <c>10s</c>, <c>1.5h</c>, <c>100ms</c>.</summary>
internal static class GoDuration
{
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var rest = text.AsSpan();
        var negative = rest.StartsWith("-");
        if (negative || rest.StartsWith("+")) rest = rest[1..];
        if (rest is "0") return true;
        if (rest.IsEmpty) return false;
        var seconds = 0d;
        while (!rest.IsEmpty)
        {
            var digits = 0;
            while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.')) digits++;
            if (!double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)) return false;
            rest = rest[digits..];
            var unit = rest switch
            {
                _ when rest.StartsWith("ns") => (1e-9, 2),
                _ when rest.StartsWith("us") || rest.StartsWith("µs") => (1e-6, 2),
                _ when rest.StartsWith("ms") => (1e-3, 2),
                _ when rest.StartsWith("s") => (1d, 1),
                _ when rest.StartsWith("m") => (60d, 1),
                _ when rest.StartsWith("h") => (3600d, 1),
                _ => (0d, 0),
            };
            if (unit.Item2 == 0) return false;
            seconds += amount * unit.Item1;
            rest = rest[unit.Item2..];
        }

        if (seconds > TimeSpan.MaxValue.TotalSeconds / 2) return false;
        duration = TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond)) * (negative ? -1 : 1);
        return true;
    }

    /// <summary>The canonical form Go prints: <c>1h30m0s</c>, <c>1.5s</c>, <c>100ms</c>, <c>0s</c>.</summary>
    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero) return "0s";
        var sign = duration < TimeSpan.Zero ? "-" : "";
        duration = duration.Duration();
        if (duration < TimeSpan.FromMilliseconds(1)) return FormattableString.Invariant($"{sign}{duration.Ticks / 10d}µs");
        if (duration < TimeSpan.FromSeconds(1)) return FormattableString.Invariant($"{sign}{duration.TotalMilliseconds}ms");
        var hours = (long)duration.TotalHours;
        var minutes = duration.Minutes;
        var seconds = (duration.Ticks % TimeSpan.TicksPerMinute) / (double)TimeSpan.TicksPerSecond;
        var text = sign + (hours > 0 ? hours + "h" : "") + (hours > 0 || minutes > 0 ? minutes + "m" : "");
        return text + seconds.ToString(CultureInfo.InvariantCulture) + "s";
    }
}
