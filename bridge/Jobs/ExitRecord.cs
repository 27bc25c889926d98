using System.Globalization;
using System.Text;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>
/// What an attempt that failed left behind: DIRECTORY/exit with RANK CODE STAGE, and Hung or OutOfMemory behind it when that was why, and
/// DIRECTORY/last-words (operator/Slurm/rank.sh, batch.sh), and the newest entry of the directory that DIRECTORY/scripts/checkpoints
/// names, or else the newest line of the files DIRECTORY/durable-* (operator/Slurm/buckets.sh). Written by the user's processes, so that nothing in it is believed but as words.
/// </summary>
/// <param name="Exit">The first rank that failed; null when there is no record.</param>
/// <param name="Why">Hung or OutOfMemory; null when nothing more is known.</param>
/// <param name="Checkpoint">What was written since the attempt began; null when there is nothing.</param>
internal sealed record ExitRecord(TrainingJobExit? Exit, string? Why, CheckpointStatus? Checkpoint)
{
    private const int MostWords = 4000;
    private const int LongestName = 255;

    /// <summary>The script that shows it: the record, the time and name of the checkpoint, and the words, each on a line of its own.</summary>
    /// <param name="root">Where attempt directories are, as a word of a script.</param>
    /// <param name="key">Name of the attempt.</param>
    public static string Script(string root, string key) => $$"""
        dir={{root}}/{{key}}
        printf '%s\n' "$(head -c 100 "$dir/exit" 2> /dev/null | head -n 1)"
        # Both times are of the shared file system: clocks don't matter.
        if read -r kept 2> /dev/null < "$dir/scripts/checkpoints" && cd "$kept/." 2> /dev/null; then
            printf '%s\n' "$(timeout 30 find . -mindepth 1 -maxdepth 1 ! -name '.*' ! -name '*.tmp' -newer "$dir/owner" -printf '%T@ %f\n' 2> /dev/null | sort -n | tail -n 1)"
        else
            printf '%s\n' "$(cat "$dir"/durable-* 2> /dev/null | grep -a -E '^[0-9]+ .' | sort -n | tail -n 1 | head -c 400)"
        fi
        head -c {{MostWords.ToString(CultureInfo.InvariantCulture)}} "$dir/last-words" 2> /dev/null
        exit 0

        """;

    /// <summary>What the script showed.</summary>
    public static ExitRecord Read(ReadOnlyMemory<byte> output)
    {
        var lines = Encoding.UTF8.GetString(output.Span).Split('\n', 3);
        var (exit, why) = ReadExit(lines[0].Trim().Split(' '), lines.Length == 3 ? lines[2] : "");
        return new ExitRecord(exit, why, lines.Length > 1 ? ReadCheckpoint(lines[1]) : null);
    }

    private static (TrainingJobExit? Exit, string? Why) ReadExit(string[] record, string words)
    {
        if (record is not ([_, _, _] or [_, _, _, "Hung" or "OutOfMemory"])) return (null, null);
        if (!Number(record[0], out var at) || !Number(record[1], out var ended) || ended is < 1 or > 255 || !Enum.TryParse<ExitStage>(record[2], out var where) || !Enum.IsDefined(where)) return (null, null);
        var text = string.Join('\n', words.TrimEnd().Split('\n').Select(line => Printable.Text(line, MostWords)));
        return (new TrainingJobExit { Rank = at, Code = ended, Stage = where, Message = text.Length == 0 ? null : text }, record.ElementAtOrDefault(3));
    }

    // Seconds since 1970, with a fraction, and the name.
    private static CheckpointStatus? ReadCheckpoint(string line)
    {
        if (line.Split(' ', 2) is not [var seconds, { Length: > 0 } name]) return null;
        if (!double.TryParse(seconds, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var time) || time > DateTimeOffset.MaxValue.ToUnixTimeSeconds()) return null;
        return new CheckpointStatus { Latest = Printable.Text(name, LongestName), DurableAt = DateTimeOffset.FromUnixTimeSeconds((long)time).UtcDateTime };
    }

    private static bool Number(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
