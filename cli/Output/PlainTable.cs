using System.Text;

namespace Trestle.Cli.Output;

/// <summary>Columns padded with blanks and nothing else: what a pipe gets.</summary>
internal static class PlainTable
{
    private const int Gap = 3;

    public static string Render(TextTable table)
    {
        var cells = table.Rows.Select(row => row.Select(Cell).ToArray()).ToArray();
        var widths = table.Columns
            .Select((column, index) => cells.Select(row => row[index].Length).Append(column.Header.Length).Max())
            .ToArray();
        var text = new StringBuilder();
        AppendRow(text, table.Columns.Select(column => column.Header).ToArray(), widths);
        foreach (var row in cells)
        {
            AppendRow(text, row, widths);
        }

        return text.ToString();
    }

    // An empty cell would shift the columns of `awk`.
    private static string Cell(string text) => Printable.Line(text) is { Length: > 0 } cell ? cell : "-";

    private static void AppendRow(StringBuilder text, string[] cells, int[] widths)
    {
        var line = new StringBuilder();
        for (var index = 0; index < cells.Length; index++)
        {
            line.Append(index == cells.Length - 1 ? cells[index] : cells[index].PadRight(widths[index] + Gap));
        }

        text.Append(line.ToString().TrimEnd()).Append('\n');
    }
}
