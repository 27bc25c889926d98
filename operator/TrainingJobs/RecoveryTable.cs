namespace Trestle.Operator.TrainingJobs;

/// <summary>What is done about a failed attempt.</summary>
public enum RecoveryAction
{
    /// <summary>Another attempt, on the nodes it keeps.</summary>
    Restart,

    /// <summary>Back into the queue at its old place, with no node kept: it never ran, so that this is no restart.</summary>
    Requeue,

    /// <summary>The job has failed.</summary>
    Fail,
}

/// <summary>What becomes of the node of the rank that failed.</summary>
public enum NodeFate
{
    /// <summary>It stays reserved and nothing is held against it.</summary>
    Kept,

    /// <summary>It stays reserved the first time; the second time it is given away and avoided.</summary>
    Suspected,

    /// <summary>It is given away, and the next attempt avoids it.</summary>
    Dropped,
}

/// <summary>One line of the table.</summary>
/// <param name="Action">What is done.</param>
/// <param name="Counts">It takes one of recovery.maxRestarts, and fails the job when none is left.</param>
/// <param name="Node">What becomes of the node.</param>
public sealed record RecoveryRule(RecoveryAction Action, bool Counts, NodeFate Node);

/// <summary>What follows from each cause: the table of docs/explanation/recovery.md.</summary>
public static class RecoveryTable
{
    /// <summary>The line of a cause.</summary>
    public static RecoveryRule Of(FailureCause cause) => cause switch
    {
        FailureCause.Infrastructure => new(RecoveryAction.Restart, Counts: false, NodeFate.Dropped),
        FailureCause.Unplaced => new(RecoveryAction.Requeue, Counts: false, NodeFate.Dropped),
        FailureCause.Recoverable => new(RecoveryAction.Restart, Counts: false, NodeFate.Kept),
        FailureCause.Final => new(RecoveryAction.Fail, Counts: false, NodeFate.Kept),
        FailureCause.User => new(RecoveryAction.Restart, Counts: true, NodeFate.Suspected),
        _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "no line in the table"),
    };
}
