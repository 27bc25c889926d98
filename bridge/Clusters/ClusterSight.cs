using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Clusters;

/// <summary>What was seen of a cluster at one time.</summary>
/// <param name="Version">Version of Slurm; null when not heard.</param>
/// <param name="Partitions">Its partitions; null when not heard.</param>
/// <param name="Failure">Why it could not be asked; null when it could.</param>
internal sealed record ClusterSight(string? Version, IReadOnlyList<PartitionUse>? Partitions, string? Failure)
{
    /// <summary>What is wrong with its users other than the first, one sentence each.</summary>
    public IReadOnlyList<string> UserFailures { get; init; } = [];
}
