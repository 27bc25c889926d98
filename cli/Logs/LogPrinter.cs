namespace Trestle.Cli.Logs;

/// <summary>Writes whole lines from many tails, with the rank in front when there is more than one.</summary>
internal sealed class LogPrinter(CliHost host, bool timestamps)
{
    private static readonly int[] Colours = [36, 33, 32, 35, 34, 31];
    private readonly Lock _oneLine = new();
    private readonly Dictionary<string, int> _colours = new(StringComparer.Ordinal);

    /// <summary>Set before the first line: several ranks or tasks share the output.</summary>
    public bool Prefixed { get; set; }

    public void Print(LogRank rank, LogLine line)
    {
        var text = timestamps && line.Stamp.Length > 0 ? $"{line.Stamp} {line.Text}" : line.Text;
        lock (_oneLine)
        {
            host.Out.WriteLine(Prefixed ? Prefix(rank) + text : text);
        }
    }

    /// <summary>A remark about the log, on standard error so that the log itself stays clean.</summary>
    public void Note(string text)
    {
        lock (_oneLine)
        {
            host.Error.WriteLine("trestle: " + Output.Printable.Line(text));
        }
    }

    public static string Label(LogRank rank) => rank.Node == 0 ? $"{rank.Task ?? rank.Job}-{rank.Rank}" : $"{rank.Task ?? rank.Job}-{rank.Rank}-{rank.Node}";

    private string Prefix(LogRank rank)
    {
        var label = Label(rank);
        if (!host.Colour)
        {
            return $"[{label}] ";
        }

        if (!_colours.TryGetValue(label, out var colour))
        {
            _colours[label] = colour = Colours[_colours.Count % Colours.Length];
        }

        return $"\u001b[{colour}m[{label}]\u001b[0m ";
    }
}
