using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.TrainingJobs;

/// <summary>What follows from a failure.</summary>
/// <param name="Action">What is done.</param>
/// <param name="Message">A sentence.</param>
/// <param name="Counts">Restarts with this one.</param>
/// <param name="Wait">Before the next attempt.</param>
public sealed record Verdict(RecoveryAction Action, string Message, RestartCounts Counts, TimeSpan Wait)
{
    /// <summary>What is to be known of it at the next failure, but for when the next attempt may start.</summary>
    public RetryStatus Retry { get; init; } = new();

    /// <summary>The node of the failed rank is given away.</summary>
    public bool DropsNode { get; init; }
}

/// <summary>Decides between another attempt and the end, by the <see cref="RecoveryTable"/>.</summary>
public static class Retries
{
    private const int MaxBlamed = 64; // the schema's limit of status.retry.nodes

    // So often in a row at its start a job may fail, however many restarts it has left.
    private const int MaxAtStart = 5;

    // A node is a coincidence once.
    private const int AtFault = 2;

    private static readonly TimeSpan DefaultInitial = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DefaultMax = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long the next attempt of a job must not start yet; zero when it may. A time that lies further ahead than the longest
    /// back-off was written before somebody set the clock back, and is over.
    /// </summary>
    /// <param name="job">The job.</param>
    /// <param name="now">The time.</param>
    public static TimeSpan HoldsOff(this TrainingJob job, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(job);
        if (NotBefore(job) is not { } time || time <= now) return TimeSpan.Zero;
        return time - now is var left && left <= Longest(job.Spec.Recovery?.Backoff) ? left : TimeSpan.Zero;
    }

    /// <summary>When the back-off before the next attempt ends, by the clock that it was written with; null without one.</summary>
    public static DateTimeOffset? NotBefore(TrainingJob job) =>
        job?.Status?.Retry?.NotBefore is { } time ? new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)) : null;

    /// <summary>Judges one attempt. Pure.</summary>
    /// <param name="recovery">The user's rules; may be absent.</param>
    /// <param name="attempt">What happened.</param>
    public static Verdict Judge(Recovery? recovery, FailedAttempt attempt)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        var failure = attempt.Failure;
        var rule = RecoveryTable.Of(failure.Cause);
        var budget = recovery?.MaxRestarts ?? 0;
        var counts = Count(attempt);
        var retry = Remember(attempt, rule);
        if (rule.Action == RecoveryAction.Fail) return Failed(failure.Code is null ? failure.Message : $"{failure.Message}, which recovery.failOnExitCodes makes final");
        if (rule.Counts && counts.Counted > budget) return Failed(budget == 0 ? failure.Message : $"{failure.Message}, and all {budget} restarts are used");
        if (retry.FailedAtStart >= MaxAtStart && !HasOneNodeAtFault(attempt, retry))
            return Failed($"{failure.Message}; it failed within a minute of its start {MaxAtStart} times in a row, so that the restarts it has left are not tried");

        var (failures, note) = failure.Cause switch
        {
            FailureCause.User => (counts.Counted!.Value, $"{counts.Counted} of {budget} restarts used"),
            FailureCause.Recoverable => (counts.Recovered!.Value, "not counted, by recovery.recoverOnExitCodes"),
            FailureCause.Unplaced => (retry.Requeues!.Value, "not counted"),
            // A lost node is no reason to wait; one after another is.
            _ => (attempt.MadeProgress ? 0 : counts.Infrastructure!.Value - 1, "not counted"),
        };
        var wait = Wait(recovery?.Backoff, failures, attempt.RanFor);
        var next = rule.Action == RecoveryAction.Requeue ? "is queued again" : "starts again";
        return new Verdict(rule.Action, $"{failure.Message}; {next} {(wait == TimeSpan.Zero ? "now" : "in " + Duration.Format(wait))} ({note})", counts, wait)
        {
            Retry = retry,
            DropsNode = rule.Node == NodeFate.Dropped || (rule.Node == NodeFate.Suspected && IsAtFault(retry, failure.Node)),
        };

        // A restart that does not take place is not counted.
        Verdict Failed(string message) => new(RecoveryAction.Fail, message, Copy(attempt.Counts), TimeSpan.Zero) { Retry = retry };
    }

    /// <summary>Adds a failure of a node; keeps those with the most.</summary>
    public static List<NodeFailures>? Blame(IReadOnlyList<NodeFailures>? nodes, string? node)
    {
        if (node is null) return nodes?.ToList();
        var others = (nodes ?? []).Where(known => known.Node != node).OrderByDescending(known => known.Failures).Take(MaxBlamed - 1);
        var failures = 1 + (nodes?.FirstOrDefault(known => known.Node == node)?.Failures ?? 0);
        // The last entry is the newest.
        return [.. others, new NodeFailures { Node = node, Failures = failures }];
    }

    /// <summary>Whether a node failed the job so often that it is avoided.</summary>
    public static bool IsAtFault(RetryStatus? retry, string? node) => retry?.Nodes?.Exists(known => known.Node == node && known.Failures >= AtFault) == true;

    private static RestartCounts Count(FailedAttempt attempt)
    {
        var counts = Copy(attempt.Counts);
        if (attempt.MadeProgress && counts.Counted is not null) counts.Counted = 0;
        switch (attempt.Failure.Cause)
        {
            case FailureCause.User: counts.Counted = Next(counts.Counted); break;
            case FailureCause.Recoverable: counts.Recovered = Next(counts.Recovered); break;
            case FailureCause.Infrastructure: counts.Infrastructure = Next(counts.Infrastructure); break;
            default: break; // an attempt that never ran is not followed by a restart
        }

        return counts;
    }

    private static RetryStatus Remember(FailedAttempt attempt, RecoveryRule rule)
    {
        var blames = rule.Node != NodeFate.Kept && attempt.SuspectsNode;
        return new RetryStatus
        {
            Reason = attempt.Failure.Reason,
            Nodes = Blame(attempt.Retry?.Nodes, blames ? attempt.Failure.Node : null),
            Requeues = rule.Action != RecoveryAction.Requeue ? null : attempt.RanFor > TimeSpan.Zero ? 1 : Next(attempt.Retry?.Requeues),
            // What is nobody's fault says nothing of the code.
            FailedAtStart = attempt.GotGoing ? null : attempt.Failure.Cause == FailureCause.User ? Next(attempt.Retry?.FailedAtStart) : attempt.Retry?.FailedAtStart,
            CheckpointAt = attempt.CheckpointAt,
        };
    }

    // Then the next attempt avoids the node, and that may be all it takes.
    private static bool HasOneNodeAtFault(FailedAttempt attempt, RetryStatus retry) =>
        attempt.Nodes > 1 && retry.Nodes?.Exists(node => node.Failures >= MaxAtStart) == true;

    private static int Next(int? count) => (count ?? 0) + 1;

    private static RestartCounts Copy(RestartCounts? counts) =>
        new() { Counted = counts?.Counted, Infrastructure = counts?.Infrastructure, Preempted = counts?.Preempted, Recovered = counts?.Recovered };

    private static TimeSpan Longest(Backoff? backoff) => Duration.ParseOr(backoff?.Max, DefaultMax);

    private static TimeSpan Wait(Backoff? backoff, int failures, TimeSpan ranFor)
    {
        var initial = Duration.ParseOr(backoff?.Initial, DefaultInitial);
        var max = Longest(backoff);
        if (failures == 0) return TimeSpan.Zero;
        var doubled = ranFor > max ? initial : initial * Math.Pow(2, Math.Min(failures - 1, 20));
        return doubled < max ? doubled : max;
    }
}
