using System.Globalization;
using System.Runtime.InteropServices;
using Trestle.Testing;

namespace Trestle.Bench;

/// <summary>Where the figures were measured, with which versions, and how busy it was with other things: its load average (1 minute) before the run.</summary>
public sealed record Machine(string Processor, int Cores, double MemoryGiB, string System, string Kernel, double LoadBefore, IReadOnlyDictionary<string, string> Versions)
{
    /// <summary>This machine.</summary>
    public static async Task<Machine> ReadAsync() => new(
        Field("/proc/cpuinfo", "model name", ':') ?? RuntimeInformation.ProcessArchitecture.ToString(),
        Environment.ProcessorCount,
        Math.Round(double.Parse((Field("/proc/meminfo", "MemTotal", ':') ?? "0 kB").Split(' ')[0], CultureInfo.InvariantCulture) / (1 << 20), 1),
        Field("/etc/os-release", "PRETTY_NAME", '=')?.Trim('"') ?? "unknown",
        (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease")).Trim(),
        double.Parse((await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0], CultureInfo.InvariantCulture),
        new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [".NET"] = Environment.Version.ToString(),
            ["bubblewrap"] = (await Command.RunAsync("bwrap", ["--version"])).Out.Split(' ')[^1].Trim(),
            ["Python"] = (await Command.RunAsync("python3", ["--version"])).Out.Split(' ')[^1].Trim(),
        });

    /// <summary>In one line.</summary>
    public override string ToString() =>
        $"{Processor}, {Cores} cores, {MemoryGiB} GiB; {System}, Linux {Kernel}; {string.Join(", ", Versions.Select(v => $"{v.Key} {v.Value}"))}; load {LoadBefore} before the run";

    private static string? Field(string file, string name, char separator) => File.Exists(file)
        ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(separator, 2)[1].Trim()
        : null;
}
