namespace Trestle.Bridge.Slurm;

/// <summary>Jobs by their ids from accounting, which goes on when the queue has forgotten them. A requeued job has several records.</summary>
internal static class SacctQuery
{
    private static readonly string[] Columns = ["JobIDRaw", "State", "ExitCode", "Submit", "Start", "End", "NodeList", "Reason", "JobName"];

    /// <summary>The command.</summary>
    /// <exception cref="ArgumentException">An id is none.</exception>
    public static string Command(Separator separator, IEnumerable<string> ids)
    {
        var list = ids.Select(id => JobId.IsValid(id) ? id : throw new ArgumentException($"'{id}' is no job id", nameof(ids)));

        // With one more column at the end every line ends in a separator; the last field of sacct has none behind it.
        return $"SLURM_TIME_FORMAT=%s sacct -X -n -p -D --delimiter='{separator.Text}' -j {string.Join(',', list)} -o {string.Join(',', Columns)}";
    }

    /// <summary>The newest record of each job, with the number of records before it as restarts.</summary>
    public static Dictionary<string, JobRecord> Read(ReadOnlyMemory<byte> output, Separator separator)
    {
        var jobs = new Dictionary<string, JobRecord>();
        foreach (var job in separator.Rows(output, Columns.Length).Select(Record).OfType<JobRecord>())
        {
            if (!jobs.TryGetValue(job.Id, out var known)) jobs[job.Id] = job;
            else jobs[job.Id] = (IsNewer(job, known) ? job : known) with { Restarts = known.Restarts + 1 };
        }

        return jobs;
    }

    private static bool IsNewer(JobRecord one, JobRecord than) => one.SubmittedAt is null || than.SubmittedAt is null || one.SubmittedAt >= than.SubmittedAt;

    private static JobRecord? Record(string[] cells)
    {
        if (!JobId.IsValid(cells[0]) || cells[1].Length == 0) return null;
        var state = SlurmStates.Of(cells[1], cells[7]);
        return new JobRecord
        {
            Id = cells[0],
            State = state,
            Exit = state.IsFinal ? ExitStatus.Read(cells[2]) : null,
            SubmittedAt = SlurmTime.Read(cells[3]),
            StartedAt = SlurmTime.Read(cells[4]),
            EndedAt = SlurmTime.Read(cells[5]),
            Nodes = cells[6] == "None assigned" ? "" : cells[6],
            Reason = cells[7] is "None" or "(null)" ? "" : cells[7],
            Name = cells[8],
        };
    }
}
