using System.Globalization;
using System.Runtime.InteropServices;
using Trestle.Testing;

namespace Trestle.Bench;

/// <summary>Where the figures were measured, and with which versions.</summary>
public sealed record Machine(string Processor, int Cores, double MemoryGiB, string System, string Kernel, IReadOnlyDictionary<string, string> Versions)
{
    /// <summary>This machine.</summary>
    public static async Task<Machine> ReadAsync() => new(
        Field("/proc/cpuinfo", "model name", ':') ?? RuntimeInformation.ProcessArchitecture.ToString(),
        Environment.ProcessorCount,
        Math.Round(double.Parse((Field("/proc/meminfo", "MemTotal", ':') ?? "0 kB").Split(' ')[0], CultureInfo.InvariantCulture) / (1 << 20), 1),
        Field("/etc/os-release", "PRETTY_NAME", '=')?.Trim('"') ?? "unknown",
        (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease")).Trim(),
        new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [".NET"] = Environment.Version.ToString(),
            ["bubblewrap"] = (await Command.RunAsync("bwrap", ["--version"])).Out.Split(' ')[^1].Trim(),
            ["Python"] = (await Command.RunAsync("python3", ["--version"])).Out.Split(' ')[^1].Trim(),
        });

    /// <summary>In one line.</summary>
    public override string ToString() =>
        $"{Processor}, {Cores} cores, {MemoryGiB} GiB; {System}, Linux {Kernel}; {string.Join(", ", Versions.Select(v => $"{v.Key} {v.Value}"))}";

    private static string? Field(string file, string name, char separator) => File.Exists(file)
        ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(separator, 2)[1].Trim()
        : null;
}
