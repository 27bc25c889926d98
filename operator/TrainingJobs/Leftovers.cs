using Trestle.Operator.Views;

namespace Trestle.Operator.TrainingJobs;

/// <summary>Pods that are no longer wanted, and which of them still hold their nodes.</summary>
internal static class Leftovers
{
    /// <summary>When to look again at pods whose end nobody may tell of.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Whether a pod is waited for. Not when it should have ended by now on a lost node: nobody may ever tell of its end, and
    /// it can't join a newer attempt.
    /// </summary>
    public static bool HoldsNode(PodView pod, Observed seen, DateTimeOffset now) =>
        !pod.IsTerminal() && !(pod.Metadata.DeletionTimestamp <= now.UtcDateTime && pod.Spec.NodeName is { } node && seen.LostNodes.Contains(node));

    /// <summary>Pods of other attempts to end now: all that may run, and of those that ended all but the last attempt's, which are kept for their logs.</summary>
    public static IEnumerable<PodView> ToEnd(IEnumerable<PodView> pods, int? current, int last) =>
        pods.Where(pod => !pod.IsTerminating() && pod.Attempt() != current && (!pod.IsTerminal() || pod.Attempt() < last - 1));
}
