using System.Globalization;

namespace Trestle.Bridge.Slurm;

/// <summary>
/// All jobs of the user that Slurm's queue knows, those that ended a short time ago included. The columns are there in all versions from
/// 22.05 on; with a suffix and without a width none is cut.
/// </summary>
internal static class SqueueQuery
{
    private static readonly string[] Columns = ["JobID", "State", "RestartCnt", "exit_code", "SubmitTime", "StartTime", "EndTime", "NodeList", "Reason", "Name"];

    /// <summary>The command.</summary>
    public static string Command(Separator separator) =>
        $"SLURM_TIME_FORMAT=%s squeue -h --me -a -t all -O '{string.Join(',', Columns.Select(column => $"{column}:{separator.Text}"))}'";

    /// <summary>Jobs by id; lines that are none are left out.</summary>
    public static Dictionary<string, JobRecord> Read(ReadOnlyMemory<byte> output, Separator separator)
    {
        var jobs = new Dictionary<string, JobRecord>();
        foreach (var cells in separator.Rows(output, Columns.Length))
        {
            if (Record(cells) is { } job) jobs[job.Id] = job;
        }

        return jobs;
    }

    private static JobRecord? Record(string[] cells)
    {
        if (!JobId.IsValid(cells[0]) || cells[1].Length == 0) return null;
        var state = SlurmStates.Of(cells[1], cells[8]);
        return new JobRecord
        {
            Id = cells[0],
            State = state,
            Restarts = int.TryParse(cells[2], NumberStyles.None, CultureInfo.InvariantCulture, out var restarts) ? restarts : 0,
            Exit = state.IsFinal ? ExitStatus.Read(cells[3]) : null,
            SubmittedAt = SlurmTime.Read(cells[4]),
            StartedAt = SlurmTime.Read(cells[5]),
            EndedAt = SlurmTime.Read(cells[6]),
            Nodes = cells[7],
            Reason = cells[8] is "None" or "(null)" ? "" : cells[8],
            Name = cells[9],
        };
    }
}
