using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.TrainingJobs;

/// <summary>Which nodes the next attempt of a job goes to only when others don't suffice. Pure.</summary>
public static class NodeAvoidance
{
    // A job that fails on everything is not to roam the whole cluster.
    private const int Most = 8;
    private static readonly IReadOnlySet<string> None = new HashSet<string>();

    /// <summary>
    /// Nodes that failed the job twice, those with the most failures first, and before them the one that failed it last, unless
    /// that one is kept for the next attempt.
    /// </summary>
    public static IReadOnlySet<string> Of(TrainingJobStatus? status)
    {
        if (status?.Retry is not { Nodes: [.., var newest] nodes } retry) return None;
        var kept = (status.Admission?.Ranks ?? []).Select(rank => rank.Node).ToHashSet();
        return nodes.Where(node => ReferenceEquals(node, newest) || Retries.IsAtFault(retry, node.Node))
            .OrderByDescending(node => ReferenceEquals(node, newest)).ThenByDescending(node => node.Failures)
            .Select(node => node.Node).Where(node => !kept.Contains(node)).Take(Most).ToHashSet();
    }
}
