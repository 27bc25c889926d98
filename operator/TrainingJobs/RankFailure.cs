using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.TrainingJobs;

/// <summary>Whose fault a failure is.</summary>
public enum FailureCause
{
    /// <summary>Nobody's who wrote the job: its node was lost, it was evicted or deleted.</summary>
    Infrastructure,

    /// <summary>Nobody's: it never started, because its node would not take it or there was no room for its pods.</summary>
    Unplaced,

    /// <summary>An exit code of recovery.recoverOnExitCodes.</summary>
    Recoverable,

    /// <summary>An exit code of recovery.failOnExitCodes.</summary>
    Final,

    /// <summary>The job's: another exit code, out of memory, or it hung.</summary>
    User,
}

/// <summary>Why an attempt can't go on.</summary>
/// <param name="Cause">Whose fault it is.</param>
/// <param name="Rank">The rank.</param>
/// <param name="Reason">One CamelCase word.</param>
/// <param name="Message">A sentence without its end.</param>
public sealed record RankFailure(FailureCause Cause, int Rank, string Reason, string Message)
{
    /// <summary>Node it was on, or was to be on; null when no node is to blame.</summary>
    public string? Node { get; init; }

    /// <summary>Exit code; null when there is none.</summary>
    public int? Code { get; init; }

    /// <summary>Which script it failed in; null when in none.</summary>
    public ExitStage? Stage { get; init; }

    /// <summary>Last lines of its output.</summary>
    public string? Output { get; init; }

    /// <summary>When it ended, where that is known.</summary>
    public DateTime? At { get; init; }
}
