using System.Globalization;

namespace Trestle.Local.ApiServer;

/// <summary>Times as the Kubernetes API writes them.</summary>
internal static class Timestamp
{
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    public static DateTimeOffset? Parse(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <summary>A duration in the words of <c>kubectl get</c>: <c>45s</c>, <c>3m12s</c>, <c>5h</c>, <c>12d</c>.</summary>
    public static string Age(TimeSpan age)
    {
        if (age < TimeSpan.FromSeconds(-1)) return "<invalid>";
        if (age < TimeSpan.Zero) return "0s";
        var seconds = (long)age.TotalSeconds;
        if (seconds < 120) return $"{seconds}s";
        var minutes = seconds / 60;
        if (minutes < 10) return seconds % 60 == 0 ? $"{minutes}m" : $"{minutes}m{seconds % 60}s";
        if (minutes < 180) return $"{minutes}m";
        var hours = minutes / 60;
        if (hours < 8) return minutes % 60 == 0 ? $"{hours}h" : $"{hours}h{minutes % 60}m";
        if (hours < 48) return $"{hours}h";
        if (hours < 192) return hours % 24 == 0 ? $"{hours / 24}d" : $"{hours / 24}d{hours % 24}h";
        var days = hours / 24;
        if (days < 365 * 2) return $"{days}d";
        return days < 365 * 8 && days % 365 != 0 ? $"{days / 365}y{days % 365}d" : $"{days / 365}y";
    }
}
