using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Views;

namespace Trestle.Operator.TrainingJobs;

/// <summary>
/// Finds out from heartbeats whether an attempt hangs. Only a heartbeat that arrived says so; one that did not arrive says
/// nothing, because lost contact is no hang. A rank that has touched its heartbeat file must go on doing so. The others may be quiet
/// as long as they like while any rank is not, since in most jobs rank 0 alone writes; that a rank finishes is a sign of life too. Pure.
/// </summary>
public static class Hangs
{
    /// <summary>The hang to act on; null while there is none.</summary>
    /// <param name="timeout">How long is too long.</param>
    /// <param name="ranFor">How long all ranks have run; what was before was waiting for each other.</param>
    /// <param name="sinceFinish">How long ago the last rank finished; null when none has.</param>
    /// <param name="running">Pods of the ranks that have not finished.</param>
    /// <param name="heartbeats">The last of each rank.</param>
    /// <param name="now">The time.</param>
    public static RankFailure? First(TimeSpan timeout, TimeSpan ranFor, TimeSpan? sinceFinish, IEnumerable<PodView> running, IReadOnlyDictionary<int, Heartbeat> heartbeats, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(heartbeats);
        if (ranFor < timeout) return null;
        var ranks = running.Select(pod => (Pod: pod, Beat: Fresh(pod))).ToList();
        var stopped = ranks.Where(rank => rank.Beat?.Untouched >= timeout).OrderByDescending(rank => rank.Beat!.Untouched).ThenBy(rank => rank.Pod.Rank()).FirstOrDefault();
        if (stopped.Pod is { } pod)
        {
            return Hung(pod, $"rank {pod.Rank()}{(pod.Spec.NodeName is { } node ? $" on node {node}" : "")} has not touched its heartbeat file for {Text(stopped.Beat!.Untouched!.Value)}") with { Node = pod.Spec.NodeName };
        }

        // Who is not heard of may be well, and who was quiet beside a rank that wrote to its end has just been left alone: then nobody hangs.
        if (sinceFinish < timeout) return null;
        if (ranks.Count == 0 || ranks.Exists(rank => !(rank.Beat?.Silent >= timeout))) return null;
        var first = ranks.OrderByDescending(rank => rank.Beat!.Silent).ThenBy(rank => rank.Pod.Rank()).First();
        return Hung(first.Pod, $"no rank has shown a sign of life for {Text(ranks.Min(rank => rank.Beat!.Silent))}; rank {first.Pod.Rank()} has been quiet the longest");

        Heartbeat? Fresh(PodView pod) => heartbeats.GetValueOrDefault(pod.Rank()) is { } beat && beat.IsFresh(timeout, now) ? beat : null;
    }

    // Who was quiet first need not be the one that hangs: no node is blamed for silence.
    private static RankFailure Hung(PodView pod, string message) => new(FailureCause.User, pod.Rank(), "Hung", message) { Stage = ExitStage.Run, Output = message };

    private static string Text(TimeSpan time) => Duration.Format(TimeSpan.FromSeconds(Math.Floor(time.TotalSeconds)));
}
