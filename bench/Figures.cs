using System.Globalization;
using System.Text;

namespace Trestle.Bench;

/// <summary>Shows results: a table for the terminal, and <c>bench/README.md</c>. Pure.</summary>
public static class Figures
{
    private static readonly string[] Head = ["metric", "ours", "unit", "against", "theirs", "ratio", "goal", "met"];

    /// <summary>The table in aligned columns.</summary>
    public static string Table(BenchResult result)
    {
        List<string[]> lines = [Head, .. result.Rows.Select(Cells)];
        var widths = Head.Select((_, column) => lines.Max(line => line[column].Length)).ToArray();
        return string.Concat(lines.Select(line => string.Join("  ", line.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd() + "\n"));
    }

    /// <summary>All of <c>bench/README.md</c>.</summary>
    public static string Document(IEnumerable<BenchResult> results)
    {
        var text = new StringBuilder("""
            # Measured figures

            Written by `./bench.sh NAME`; do not edit by hand. A column without an entry has none: no peer did the same in that run,
            or no goal is set. Figures of another machine say nothing about yours; run it there.

            """);
        foreach (var result in results.OrderBy(result => result.Name, StringComparer.Ordinal))
        {
            text.Append($"\n## {result.Name}\n\nCommit {result.Commit}. {result.Machine}.\n\n");
            text.Append(Row(Head)).Append(Row(Head.Select(_ => "---")));
            foreach (var row in result.Rows) text.Append(Row(Cells(row)));
        }

        return text.ToString();
    }

    private static string Row(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |\n";

    private static string[] Cells(BenchRow row) =>
        [row.Metric, Number(row.Ours), row.Unit, row.Against ?? "", Number(row.Theirs), Number(row.Ratio), Number(row.Goal), row.Met switch { true => "yes", false => "no", null => "" }];

    // Three figures that count are more than a run repeats.
    private static string Number(double? value) => value switch
    {
        null => "",
        >= 100 => value.Value.ToString("#,0", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("0.0##", CultureInfo.InvariantCulture),
    };
}
