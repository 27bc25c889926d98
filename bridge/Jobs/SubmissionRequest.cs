namespace Trestle.Bridge.Jobs;

/// <summary>What is wanted of an attempt's directory.</summary>
internal enum SubmissionWish
{
    /// <summary>Submit it, unless it was.</summary>
    Submit,

    /// <summary>Never submit it any more, and say whether it was.</summary>
    Close,
}

/// <summary>One attempt in a submission script. Printing it shows no script and no secret.</summary>
/// <param name="Key">Name in Slurm and of the directory.</param>
/// <param name="Uid">Uid of the TrainingJob: two jobs with the same key are told apart by it.</param>
/// <param name="Wish">What is wanted.</param>
internal sealed record SubmissionRequest(string Key, string Uid, SubmissionWish Wish)
{
    /// <summary>Number of the call of sbatch, from 1: a next one is allowed only when the last one is known to have come to nothing.</summary>
    public int Try { get; init; } = 1;

    /// <summary>Nothing was sent for this attempt before; saves the question whether Slurm knows it.</summary>
    public bool IsFirst { get; init; }

    /// <summary>The script of the job.</summary>
    public string Script { get; init; } = "";

    /// <summary>Text of the file with the secrets, see <see cref="SecretFile"/>; null for none.</summary>
    public string? Secrets { get; init; }

    /// <summary>Options of sbatch.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>Letters that it puts into a script.</summary>
    public int Length => Wish == SubmissionWish.Submit ? Script.Length + (Secrets?.Length ?? 0) + Options.Sum(option => option.Length) : 0;

    /// <inheritdoc/>
    public override string ToString() => $"{Wish} {Key} try {Try}";
}
