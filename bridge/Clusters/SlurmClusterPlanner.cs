using System.Globalization;
using System.Text.Json;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Slurm;
using Trestle.Runtime;

namespace Trestle.Bridge.Clusters;

/// <summary>What was seen of a cluster → its status. What was not seen this time stays as it was.</summary>
internal static class SlurmClusterPlanner
{
    private const string Ready = "Ready";
    private const string Unsupported = "Unsupported";
    private const int LongestMessage = 500;
    private static readonly (int Year, int Month) Oldest = (22, 5);

    /// <summary>The status.</summary>
    public static SlurmClusterStatus Status(SlurmCluster cluster, ClusterSight sight, DateTimeOffset now)
    {
        var status = Copy(cluster.Status);
        status.ObservedGeneration = cluster.Metadata.Generation;
        status.Reachable = sight.Failure is null;
        status.Version = sight.Version ?? status.Version;
        if (sight.Failure is null) status.LastSeen = now.UtcDateTime.AddTicks(-(now.UtcDateTime.Ticks % TimeSpan.TicksPerSecond));
        if (sight.Partitions is { } partitions) status.Partitions = [.. partitions.Select(Partition)];
        var isOld = status.Version is { } version && IsTooOld(version);
        var problem = Refusal(cluster) ?? sight.Failure ?? (isOld ? $"Slurm {status.Version} is older than 22.05; the bridge does not know its answers" : sight.UserFailures.Count > 0 ? sight.UserFailures[0] : null);
        status.Message = problem is null ? null : Printable.Text(problem, LongestMessage);
        var conditions = status.Conditions ??= [];
        Conditions.Set(conditions, Ready, problem is null, problem is null ? "Answered" : sight.Failure is null ? "Misconfigured" : "NoAnswer", status.Message ?? "the cluster answers", cluster.Metadata.Generation, now);
        Conditions.Set(conditions, Unsupported, isOld, "Version", status.Version ?? "the version is not known yet", cluster.Metadata.Generation, now);
        return status;
    }

    /// <summary>What is wrong with the spec, as one sentence; null when nothing is.</summary>
    public static string? Refusal(SlurmCluster cluster)
    {
        if (WorkRoot.Word(cluster.Spec.WorkRoot) is null) return "spec.workRoot must be ~ or an absolute path of letters, digits and ._+=@-; change it";
        var twice = cluster.Spec.Users.SelectMany(user => user.Namespaces.Select(ns => (ns, user.User))).GroupBy(one => one.ns).FirstOrDefault(same => same.Select(one => one.User).Distinct().Count() > 1);
        return twice is null ? null : $"namespace {twice.Key} is given to more than one user in spec.users; give it to one";
    }

    /// <summary>Whether two statuses say the same, the time of the last contact aside.</summary>
    public static bool SaysTheSame(SlurmClusterStatus now, SlurmClusterStatus? before)
    {
        if (before is null) return false;
        var (one, other) = (Copy(now), Copy(before));
        one.LastSeen = other.LastSeen = null;
        return Text(one) == Text(other);
    }

    private static bool IsTooOld(string version) =>
        version.Split('.') is [var year, var month, ..]
        && int.TryParse(year, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
        && int.TryParse(month, NumberStyles.None, CultureInfo.InvariantCulture, out var second)
        && (first, second).CompareTo(Oldest) < 0;

    private static SlurmPartition Partition(PartitionUse use) => new()
    {
        Name = use.Name,
        Nodes = use.Nodes,
        MaxTime = use.MaxTime,
        State = use.State,
        Gpus = use.Gpus == 0 ? null : new SlurmGpus { Type = use.GpuType, Total = use.Gpus, Free = use.FreeGpus },
    };

    private static SlurmClusterStatus Copy(SlurmClusterStatus? status) =>
        status is null ? new SlurmClusterStatus() : JsonSerializer.Deserialize(Text(status), TrestleJson.Default.SlurmCluster)!.Status!;

    private static string Text(SlurmClusterStatus status) => JsonSerializer.Serialize(new SlurmCluster { Status = status }, TrestleJson.Default.SlurmCluster);
}
