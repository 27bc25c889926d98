namespace Trestle.Bridge.Jobs;

/// <summary>What was heard of one attempt.</summary>
internal abstract record SubmissionAnswer;

/// <summary>It has this job in Slurm.</summary>
internal sealed record Submitted(string JobId) : SubmissionAnswer;

/// <summary>A try was begun and no job is to be seen; it may still come.</summary>
/// <param name="LastTry">Number of the newest try.</param>
/// <param name="Looked">Both squeue and sacct answered that they know no such job.</param>
internal sealed record InDoubt(int LastTry, bool Looked) : SubmissionAnswer;

/// <summary>sbatch ended with an error, and no job is to be seen.</summary>
/// <param name="LastTry">Number of the newest try.</param>
/// <param name="Looked">Both squeue and sacct answered that they know no such job.</param>
/// <param name="Text">What sbatch said.</param>
internal sealed record SbatchFailed(int LastTry, bool Looked, string Text) : SubmissionAnswer;

/// <summary>Nothing was sent to Slurm, as something is in the way on the login node.</summary>
/// <param name="Why">One sentence.</param>
internal sealed record Blocked(string Why) : SubmissionAnswer;

/// <summary>The directory is that of another job whose uid begins with the same letters.</summary>
internal sealed record Foreign : SubmissionAnswer;

/// <summary>It was closed before anything was sent to Slurm, or nothing was ever sent and it is closed now.</summary>
internal sealed record NeverSubmitted : SubmissionAnswer;

/// <summary>No answer: the script may have run wholly, in part or not at all.</summary>
/// <param name="Why">One sentence.</param>
internal sealed record NotHeard(string Why) : SubmissionAnswer;
