namespace Trestle.Cli.Output;

/// <summary>A column; a wide one is shown by -o wide alone.</summary>
internal sealed record TableColumn(string Header, bool Wide = false);

/// <summary>Columns and cells, the same for a pipe and for a terminal.</summary>
internal sealed record TextTable(IReadOnlyList<TableColumn> Columns, IReadOnlyList<string[]> Rows)
{
    public TextTable For(OutputFormat format)
    {
        if (format == OutputFormat.Wide || !Columns.Any(column => column.Wide))
        {
            return this;
        }

        var kept = Enumerable.Range(0, Columns.Count).Where(index => !Columns[index].Wide).ToArray();
        return new TextTable(
            [.. kept.Select(index => Columns[index])],
            [.. Rows.Select(row => kept.Select(index => row[index]).ToArray())]);
    }
}
