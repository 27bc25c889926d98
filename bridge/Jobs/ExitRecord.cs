using System.Globalization;
using System.Text;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>
/// What the first rank that failed left in the directory of its attempt (operator/Slurm/rank.sh): DIRECTORY/exit with RANK CODE STAGE,
/// and its last lines in DIRECTORY/last-words. Written by the user's processes, so that nothing in it is believed but as words.
/// </summary>
internal static class ExitRecord
{
    private const int MostWords = 4000;

    /// <summary>The script that shows it.</summary>
    /// <param name="root">Where attempt directories are, as a word of a script.</param>
    /// <param name="key">Name of the attempt.</param>
    public static string Script(string root, string key) =>
        string.Create(CultureInfo.InvariantCulture, $"dir={root}/{key}\nhead -c 100 \"$dir/exit\" 2>/dev/null | head -n 1\necho\nhead -c {MostWords} \"$dir/last-words\" 2>/dev/null\nexit 0\n");

    /// <summary>What the script showed; null when there is no record.</summary>
    public static TrainingJobExit? Read(ReadOnlyMemory<byte> output)
    {
        var parts = Encoding.UTF8.GetString(output.Span).Split("\n\n", 2);
        if (parts[0].Trim().Split(' ') is not [var rank, var code, var stage]) return null;
        if (!Number(rank, out var at) || !Number(code, out var ended) || ended is < 1 or > 255 || !Enum.TryParse<ExitStage>(stage, out var where) || !Enum.IsDefined(where)) return null;
        var words = parts.Length == 2 ? string.Join('\n', parts[1].TrimEnd().Split('\n').Select(line => Printable.Text(line, MostWords))) : "";
        return new TrainingJobExit { Rank = at, Code = ended, Stage = where, Message = words.Length == 0 ? null : words };
    }

    private static bool Number(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
