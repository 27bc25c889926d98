using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.TrainingJobs;

/// <summary>What follows from a failure.</summary>
/// <param name="Restarts">True: another attempt; false: the job has failed.</param>
/// <param name="Message">A sentence.</param>
/// <param name="Counts">Restarts with this one.</param>
/// <param name="Wait">Before the next attempt.</param>
public sealed record Verdict(bool Restarts, string Message, RestartCounts Counts, TimeSpan Wait);

/// <summary>Decides between another attempt and the end.</summary>
public static class Retries
{
    private const int MaxBlamed = 64; // the schema's limit of status.retry.nodes
    private static readonly TimeSpan DefaultInitial = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DefaultMax = TimeSpan.FromMinutes(5);

    /// <summary>The table of scheduling.md.</summary>
    /// <param name="recovery">The user's rules; may be absent.</param>
    /// <param name="before">Restarts so far; may be absent.</param>
    /// <param name="failure">What happened.</param>
    /// <param name="ranFor">How long all ranks ran; an attempt that ran longer than the longest wait starts the waits anew.</param>
    public static Verdict Judge(Recovery? recovery, RestartCounts? before, RankFailure failure, TimeSpan ranFor)
    {
        var counts = new RestartCounts { Counted = before?.Counted, Infrastructure = before?.Infrastructure, Preempted = before?.Preempted, Recovered = before?.Recovered };
        var budget = recovery?.MaxRestarts ?? 0;
        switch (failure.Cause)
        {
            case FailureCause.Final:
                return new Verdict(false, $"{failure.Message}, which recovery.failOnExitCodes makes final", counts, TimeSpan.Zero);
            case FailureCause.User when (counts.Counted ?? 0) >= budget:
                return new Verdict(false, budget == 0 ? failure.Message : $"{failure.Message}, and all {budget} restarts are used", counts, TimeSpan.Zero);
            case FailureCause.User:
                counts.Counted = (counts.Counted ?? 0) + 1;
                return Again(counts.Counted.Value, $"{counts.Counted} of {budget} restarts used");
            case FailureCause.Recoverable:
                counts.Recovered = (counts.Recovered ?? 0) + 1;
                return Again(counts.Recovered.Value, "not counted, by recovery.recoverOnExitCodes");
            default:
                counts.Infrastructure = (counts.Infrastructure ?? 0) + 1;
                // A lost node is no reason to wait; one after another is.
                return Again(counts.Infrastructure.Value - 1, "not counted");
        }

        Verdict Again(int failures, string note)
        {
            var wait = Wait(recovery?.Backoff, failures, ranFor);
            return new Verdict(true, $"{failure.Message}; starts again {(wait == TimeSpan.Zero ? "now" : "in " + Duration.Format(wait))} ({note})", counts, wait);
        }
    }

    /// <summary>Adds a failure of a node; keeps those with the most.</summary>
    public static List<NodeFailures>? Blame(IReadOnlyList<NodeFailures>? nodes, string? node)
    {
        if (node is null) return nodes?.ToList();
        var others = (nodes ?? []).Where(known => known.Node != node).OrderByDescending(known => known.Failures).Take(MaxBlamed - 1);
        var failures = 1 + (nodes?.FirstOrDefault(known => known.Node == node)?.Failures ?? 0);
        // The last entry is the newest: the scheduler avoids it when others fit.
        return [.. others, new NodeFailures { Node = node, Failures = failures }];
    }

    private static TimeSpan Wait(Backoff? backoff, int failures, TimeSpan ranFor)
    {
        var initial = Duration.ParseOr(backoff?.Initial, DefaultInitial);
        var max = Duration.ParseOr(backoff?.Max, DefaultMax);
        if (failures == 0) return TimeSpan.Zero;
        var doubled = ranFor > max ? initial : initial * Math.Pow(2, Math.Min(failures - 1, 20));
        return doubled < max ? doubled : max;
    }
}
