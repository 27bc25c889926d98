using System.Security.Cryptography;
using System.Text;

namespace Trestle.Bridge.Slurm;

/// <summary>
/// What stands behind every column of an answer: new for every question, so that a job's name or a reason with a delimiter or a line
/// break in it can't pass as a column or a row.
/// </summary>
/// <param name="Text">Printable, without a comma, colon, quote or space, and no digit or dot first: squeue would take it for a width.</param>
internal readonly record struct Separator(string Text)
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyz";

    /// <summary>A new one.</summary>
    public static Separator New() => new("~" + RandomNumberGenerator.GetString(Letters, 8));

    /// <summary>Rows with exactly so many columns; all other lines are left out.</summary>
    public IEnumerable<string[]> Rows(ReadOnlyMemory<byte> output, int columns)
    {
        var separator = Text;
        return from line in Encoding.UTF8.GetString(output.Span).Split('\n')
               let cells = line.Split(separator)
               where cells.Length == columns + 1 && cells[columns].Length == 0
               select Array.ConvertAll(cells[..columns], cell => cell.Trim());
    }
}
