using System.Globalization;

namespace Trestle.Bridge.Slurm;

/// <summary>Times as seconds since 1970, which SLURM_TIME_FORMAT=%s asks for: local times without a zone can't be read from afar.</summary>
internal static class SlurmTime
{
    private const long Latest = 253_402_300_799; // the end of the year 9999

    /// <summary>Null for N/A, Unknown, None, 0 and everything else that is no time.</summary>
    public static DateTimeOffset? Read(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= Latest
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
}
