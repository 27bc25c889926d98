using System.Globalization;
using System.Text;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Tests.Slurm;

/// <summary>Recorded answers of real clusters, brought into the columns that the bridge asks for. Nothing but order and time format changes.</summary>
internal static class Samples
{
    public static readonly string[] Versions = ["22.05", "24.11", "26.05"];

    public static readonly Separator Separator = new("~sample");

    // Widths of the columns in squeue-O-*.txt.
    private static readonly int[] Widths = [20, 20, 20, 6, 20, 40, 10, 6, 30];

    public static string Read(string version, string file) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Samples", "slurm", version, file));

    public static IEnumerable<string> Files(string version, string pattern) =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Samples", "slurm", version), pattern).Select(path => Path.GetFileName(path)!).Order();

    /// <summary>Jobs of one recorded squeue: state, exit code and restarts as -O wrote them, times and reason as -o did.</summary>
    public static ReadOnlyMemory<byte> Squeue(string version, string moment)
    {
        var times = Lines(version, $"squeue-format-{moment}.txt").Select(line => line.Split('|')).ToDictionary(cells => cells[1]);
        var rows = Lines(version, $"squeue-O-{moment}.txt").Select(Cut).Select(cells =>
        {
            var other = times.GetValueOrDefault(cells[0]);
            return Row(cells[0], cells[4], cells[7], cells[6], Epoch(other?[13]), Epoch(other?[14]), Epoch(other?[15]), cells[8], other is null ? cells[5] : other[6], cells[2]);
        });
        return Encoding.UTF8.GetBytes(string.Concat(rows));
    }

    /// <summary>Jobs of one recorded sacct; the samples have no submit times, so the order of the lines stands for them.</summary>
    public static ReadOnlyMemory<byte> Sacct(string version, string moment)
    {
        var lines = Lines(version, $"sacct-P-X-{moment}.txt").ToArray();
        var names = lines[0].Split('|');
        var rows = lines.Skip(1).Select(line => line.Split('|')).Select(cells =>
        {
            string Of(string column) => cells[Array.IndexOf(names, column)];
            return Row(Of("JobIDRaw"), Of("State"), Of("ExitCode"), "Unknown", Epoch(Of("Start")), Epoch(Of("End")), Of("NodeList"), Of("Reason"), Of("JobName"));
        });
        return Encoding.UTF8.GetBytes(string.Concat(rows));
    }

    public static IEnumerable<string> Lines(string version, string file) => Read(version, file).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public static string Row(params string[] cells) => string.Concat(cells.Select(cell => cell + Separator.Text)) + "\n";

    /// <summary>Names of the cases in a fixed-width squeue line.</summary>
    public static string[] Cut(string line)
    {
        var at = 0;
        return Array.ConvertAll(Widths, width =>
        {
            var cell = line.Substring(at, width).Trim();
            at += width;
            return cell;
        });
    }

    private static string Epoch(string? time) =>
        DateTime.TryParseExact(time, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var found)
            ? new DateTimeOffset(found.ToUniversalTime()).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)
            : time ?? "N/A";
}
