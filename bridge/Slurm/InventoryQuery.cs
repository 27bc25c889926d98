using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Trestle.Bridge.Slurm;

/// <summary>Version, partitions and nodes of a cluster.</summary>
internal static partial class InventoryQuery
{
    private const int MostPartitions = 512;

    // No job can start on a node in one of these.
    private static readonly string[] Closed = ["DOWN", "DRAIN", "FAIL", "MAINT", "NOT_RESPONDING", "POWERED_DOWN", "POWERING_DOWN", "UNKNOWN", "INVAL", "FUTURE"];

    /// <summary>The commands; the answer is whole when the last line is the mark.</summary>
    public static string Command(Separator mark) => $"scontrol --version && scontrol show partition && scontrol show node && echo '{mark.Text}'\n";

    /// <summary>Version such as 22.05.8; null when the text has none.</summary>
    public static string? Version(string text) => VersionLine().Match(text) is { Success: true } found ? found.Groups["version"].Value : null;

    /// <summary>Whether the answer is whole.</summary>
    public static bool IsWhole(string text, Separator mark) => text.TrimEnd().EndsWith(mark.Text, StringComparison.Ordinal);

    /// <summary>The partitions, in Slurm's order.</summary>
    public static IReadOnlyList<PartitionUse> Partitions(ReadOnlyMemory<byte> output)
    {
        var blocks = Encoding.UTF8.GetString(output.Span).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        var nodes = blocks.Select(Fields).Where(block => block.ContainsKey("NodeName")).Select(Node).ToList();
        return [.. blocks.Select(Fields).Where(block => block.ContainsKey("PartitionName")).Take(MostPartitions).Select(block => Partition(block, nodes))];
    }

    private static PartitionUse Partition(Dictionary<string, string> fields, IReadOnlyList<NodeUse> all)
    {
        var name = fields["PartitionName"];
        var nodes = all.Where(node => node.Partitions.Contains(name)).ToList();
        var type = nodes.SelectMany(node => node.Gpus).GroupBy(gpus => gpus.Type).OrderByDescending(same => same.Sum(gpus => gpus.Count)).FirstOrDefault()?.Key;
        return new PartitionUse(
            name,
            fields.GetValueOrDefault("State", "").ToLowerInvariant(),
            fields.GetValueOrDefault("MaxTime", ""),
            Number(fields.GetValueOrDefault("TotalNodes", "")) is > 0 and var count ? count : nodes.Count,
            type is { Length: > 0 } ? type : null,
            nodes.Sum(node => node.Total),
            nodes.Where(node => node.IsOpen).Sum(node => Math.Max(0, node.Total - node.Used)));
    }

    private static NodeUse Node(Dictionary<string, string> fields) => new(
        [.. fields.GetValueOrDefault("Partitions", "").Split(',')],
        !fields.GetValueOrDefault("State", "UNKNOWN").Split('+', '*').Any(state => Closed.Contains(state)) && !fields.GetValueOrDefault("State", "").Contains('*', StringComparison.Ordinal),
        [.. Gpu().Matches(fields.GetValueOrDefault("Gres", "")).Select(found => (found.Groups["type"].Value, Number(found.Groups["count"].Value)))],
        Number(UsedGpus().Match(fields.GetValueOrDefault("AllocTRES", "")) is { Success: true } used ? used.Groups["count"].Value : ""));

    // Key=Value, separated by spaces and line breaks. A value with spaces in it (a reason, an operating system) loses what is behind the first.
    private static Dictionary<string, string> Fields(string block)
    {
        var fields = new Dictionary<string, string>();
        foreach (var word in block.Split([' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.Split('=', 2) is [var key, var value]) fields.TryAdd(key, value);
        }

        return fields;
    }

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    [GeneratedRegex("^slurm(-wlm)? (?<version>[0-9]+\\.[0-9]+[0-9A-Za-z.-]{0,20})", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionLine();

    [GeneratedRegex("(^|,)gpu:((?<type>[^:,()]+):)?(?<count>[0-9]+)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Gpu();

    [GeneratedRegex("(^|,)gres/gpu=(?<count>[0-9]+)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UsedGpus();

    private sealed record NodeUse(IReadOnlyList<string> Partitions, bool IsOpen, IReadOnlyList<(string Type, int Count)> Gpus, int Used)
    {
        public int Total => Gpus.Sum(gpus => gpus.Count);
    }
}
