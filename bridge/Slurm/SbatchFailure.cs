namespace Trestle.Bridge.Slurm;

/// <summary>What an error of sbatch means for the job.</summary>
internal enum SubmissionFate
{
    /// <summary>Slurm has not taken it and never will as it is.</summary>
    Refused,

    /// <summary>Slurm has not taken it now; it may later.</summary>
    Busy,

    /// <summary>Nobody can tell: it may have been taken.</summary>
    Ambiguous,
}

/// <summary>Errors of sbatch. What is not known to come from Slurm's own judgement of the job is ambiguous.</summary>
internal static class SbatchFailure
{
    private const int LongestSentence = 500;

    private static readonly (string Text, SubmissionFate Fate)[] Known =
    [
        // The word of slurmctld about the job.
        ("Invalid partition", SubmissionFate.Refused),
        ("invalid partition", SubmissionFate.Refused),
        ("Invalid account", SubmissionFate.Refused),
        ("Invalid qos", SubmissionFate.Refused),
        ("Invalid generic resource", SubmissionFate.Refused),
        ("Invalid Trackable RESource", SubmissionFate.Refused),
        ("Invalid feature specification", SubmissionFate.Refused),
        ("Invalid node name", SubmissionFate.Refused),
        ("Invalid license", SubmissionFate.Refused),
        ("Invalid wckey", SubmissionFate.Refused),
        ("Requested reservation is invalid", SubmissionFate.Refused),
        ("Requested node configuration is not available", SubmissionFate.Refused),
        ("Requested partition configuration not available now", SubmissionFate.Busy),
        ("Requested time limit is invalid", SubmissionFate.Refused),
        ("Time limit specification required", SubmissionFate.Refused),
        ("Node count specification invalid", SubmissionFate.Refused),
        ("Number of tasks can not be satisfied", SubmissionFate.Refused),
        ("Memory specification can not be satisfied", SubmissionFate.Refused),
        ("More processors requested than permitted", SubmissionFate.Refused),
        ("Requested operation is presently disabled", SubmissionFate.Busy),
        ("Access/permission denied", SubmissionFate.Refused),
        ("User's group not permitted", SubmissionFate.Refused),
        ("Invalid user id", SubmissionFate.Refused),
        ("Job dependency problem", SubmissionFate.Refused),
        ("Job violates accounting/QOS policy", SubmissionFate.Busy),
        ("temporarily unable to accept job", SubmissionFate.Busy),
        ("Job submission rejected", SubmissionFate.Refused),
        ("Pathname of a file, directory or other parameter too long", SubmissionFate.Refused),

        // sbatch itself, before it has spoken to anybody.
        ("unrecognized option", SubmissionFate.Refused),
        ("invalid option", SubmissionFate.Refused),
        ("requires an argument", SubmissionFate.Refused),
        ("Invalid time limit", SubmissionFate.Refused),
        ("Invalid --", SubmissionFate.Refused),
        ("Unable to open file", SubmissionFate.Busy),
        ("sbatch: not found", SubmissionFate.Busy),
        ("sbatch: command not found", SubmissionFate.Busy),
    ];

    /// <summary>What the text of sbatch's stderr means.</summary>
    public static SubmissionFate FateOf(string text)
    {
        foreach (var (known, fate) in Known)
        {
            if (text.Contains(known, StringComparison.Ordinal)) return fate;
        }

        return SubmissionFate.Ambiguous;
    }

    /// <summary>The last thing that sbatch said, without its prefixes; bounded and on one line.</summary>
    public static string Sentence(string text)
    {
        var last = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault(line => !line.StartsWith("Try \"", StringComparison.Ordinal)) ?? "sbatch failed without a word";
        foreach (var prefix in (string[])["sbatch: ", "error: ", "Batch job submission failed: "])
        {
            if (last.StartsWith(prefix, StringComparison.Ordinal)) last = last[prefix.Length..];
        }

        return Printable.Text(last, LongestSentence);
    }
}
