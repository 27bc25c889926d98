namespace Trestle.Cli.Output;

/// <summary>Times as kubectl writes them: two units at most, the second one only while it matters.</summary>
internal static class Ages
{
    public static string Short(TimeSpan span)
    {
        var seconds = (long)Math.Max(0, span.TotalSeconds);
        return seconds switch
        {
            < 120 => $"{seconds}s",
            < 600 => Pair(seconds / 60, "m", seconds % 60, "s"),
            < 3 * 3600 => $"{seconds / 60}m",
            < 8 * 3600 => Pair(seconds / 3600, "h", seconds % 3600 / 60, "m"),
            < 48 * 3600 => $"{seconds / 3600}h",
            < 8 * 86400 => Pair(seconds / 86400, "d", seconds % 86400 / 3600, "h"),
            _ => $"{seconds / 86400}d",
        };
    }

    public static string Between(DateTime? from, DateTime? to) =>
        from is { } start && to is { } end ? Short(end - start) : "-";

    /// <summary>GPU-hours with one decimal, "-" for a job that held none.</summary>
    public static string GpuHours(int gpus, TimeSpan held) =>
        gpus == 0 ? "-" : (gpus * Math.Max(0, held.TotalHours)).ToString("0.0");

    private static string Pair(long big, string bigUnit, long small, string smallUnit) =>
        small == 0 ? $"{big}{bigUnit}" : $"{big}{bigUnit}{small}{smallUnit}";
}
