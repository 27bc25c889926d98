using System.Globalization;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Output;

namespace Trestle.Cli.Nodes;

/// <summary>Partitions of Slurm clusters with their GPUs, and whether a cluster can be reached.</summary>
internal static class SlurmTable
{
    private static readonly string[] Headers = ["SLURM", "PARTITION", "STATUS", "GPU", "FREE", "TOTAL", "NODES", "LONGEST", "NOTE"];

    /// <summary>One row a partition; one row for a cluster of which no partition is known.</summary>
    public static TextTable Build(IReadOnlyList<SlurmCluster> clusters, DateTime now) => new(
        [.. Headers.Select(header => new TableColumn(header))],
        [.. clusters.OrderBy(cluster => cluster.Metadata.Name, StringComparer.Ordinal).SelectMany(cluster => Rows(cluster, now))]);

    private static IEnumerable<string[]> Rows(SlurmCluster cluster, DateTime now)
    {
        var status = cluster.Status;
        var note = Note(status, now);
        if (status?.Partitions is not { Count: > 0 } partitions) return [[cluster.Metadata.Name, "-", Reach(status, null), "-", "-", "-", "-", "-", note]];
        return partitions.Select(partition => new[]
        {
            cluster.Metadata.Name,
            partition.Name,
            Reach(status, partition.State),
            partition.Gpus?.Type ?? (partition.Gpus is null ? "none" : "unknown"),
            Number(partition.Gpus?.Free),
            Number(partition.Gpus?.Total),
            Number(partition.Nodes),
            partition.MaxTime ?? "-",
            note,
        });
    }

    // What was seen before says nothing about now.
    private static string Reach(SlurmClusterStatus? status, string? state) => status?.Reachable switch
    {
        true => state ?? "up",
        false => "unreachable",
        _ => "unknown",
    };

    private static string Note(SlurmClusterStatus? status, DateTime now)
    {
        string?[] parts =
        [
            status is null ? "no Slurm bridge has looked at it yet" : null,
            status?.Reachable == false ? status.LastSeen is { } seen ? $"not reached since {Ages.Short(now - seen)} ago" : "never reached" : null,
            status?.Message,
        ];
        return string.Join(": ", parts.OfType<string>()) is { Length: > 0 } text ? text : "-";
    }

    private static string Number(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "-";
}
