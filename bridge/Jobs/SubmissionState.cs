using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>What a bridge knows of the submission of an attempt while it has no job id. Lost with the process: what counts is on the login node.</summary>
/// <param name="Try">Number of the call of sbatch that is allowed now.</param>
internal sealed record SubmissionState(int Try)
{
    /// <summary>This process has set the finalizer itself and sent nothing: nobody else can have.</summary>
    public bool IsFirst { get; init; }

    /// <summary>A request is on its way.</summary>
    public bool InFlight { get; init; }

    /// <summary>When the first successful empty look at the current try was, by the steady clock.</summary>
    public TimeSpan? FirstEmptyLook { get; init; }

    /// <summary>Successful empty looks at the current try.</summary>
    public int EmptyLooks { get; init; }

    /// <summary>Not before then, by the steady clock.</summary>
    public TimeSpan NotBefore { get; init; } = TimeSpan.MinValue;

    /// <summary>Failures in a row, for the length of waits.</summary>
    public int Failures { get; init; }

    /// <summary>The last answer; null when there is none.</summary>
    public SubmissionAnswer? Answer { get; init; }

    /// <summary>No job came of what was sent, and none will.</summary>
    public bool IsRuledOut => Answer switch
    {
        NeverSubmitted or Foreign => true,
        SbatchFailed failed => SbatchFailure.FateOf(failed.Text) != SubmissionFate.Ambiguous || Try > failed.LastTry,
        InDoubt doubt => Try > doubt.LastTry,
        _ => false,
    };
}
