using System.Globalization;

namespace Trestle.Bench.Gang;

/// <summary>What processes have used, from /proc.</summary>
internal static class ProcessUsage
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux of our kinds of machine

    /// <summary>Ids of the processes whose program has one of these names (the kernel's first 15 letters).</summary>
    public static IReadOnlyList<int> Named(IReadOnlyCollection<string> programs) =>
        [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Where(id => programs.Contains(NameOf(id!))).Select(id => int.Parse(id!, CultureInfo.InvariantCulture))];

    /// <summary>CPU seconds of all of them so far, in user and system.</summary>
    public static double CpuSeconds(IEnumerable<int> processes) => processes.Sum(id =>
    {
        // Behind the name, which may hold spaces: state is the 3rd field, utime and stime the 14th and 15th.
        var fields = File.ReadAllText($"/proc/{id}/stat").Split(") ")[^1].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    });

    /// <summary>MiB that were resident at the most, added up over all of them.</summary>
    public static double PeakMiB(IEnumerable<int> processes) => processes.Sum(id => Field(id, "VmHWM:"));

    /// <summary>MiB resident now.</summary>
    public static double ResidentMiB(IEnumerable<int> processes) => processes.Sum(id => Field(id, "VmRSS:"));

    private static double Field(int id, string name) =>
        Math.Round(double.Parse(File.ReadLines($"/proc/{id}/status").First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024, 1);

    private static string? NameOf(string id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/comm").TrimEnd();
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
