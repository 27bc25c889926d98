using Spectre.Console;

namespace Trestle.Cli.Output;

/// <summary>The same table for a person: header, colour by state, cells folded to the width of the terminal.</summary>
internal static class TerminalTable
{
    public static void Write(TextTable table, CliHost host)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = host.Colour ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = host.Colour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(host.Out),
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = host.Width;
        var grid = new Table { Border = TableBorder.None, ShowHeaders = true };
        foreach (var column in table.Columns)
        {
            grid.AddColumn(new TableColumnView(column.Header).ToColumn());
        }

        foreach (var row in table.Rows)
        {
            grid.AddRow(row.Select(cell => new Text(Printable.Line(cell), StyleOf(cell))));
        }

        console.Write(grid);
    }

    private static Style StyleOf(string cell) => cell switch
    {
        "Running" or "Succeeded" or "Ready" => new Style(Color.Green),
        "Failed" or "NotReady" or "Failing" => new Style(Color.Red),
        "Queued" or "Pending" or "Restarting" or "Preempting" or "Starting" or "Admitted" => new Style(Color.Yellow),
        "Cancelled" or "Suspended" => new Style(Color.Grey),
        _ => Style.Plain,
    };

    private readonly record struct TableColumnView(string Header)
    {
        public Spectre.Console.TableColumn ToColumn() =>
            new(new Text(Header, new Style(decoration: Decoration.Bold))) { NoWrap = Header is not ("REASON" or "MESSAGE") };
    }
}
