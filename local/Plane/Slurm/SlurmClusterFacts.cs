using System.Globalization;
using System.Text.Json.Nodes;

namespace Trestle.Local.Plane.Slurm;

/// <summary>What the status of a SlurmCluster says, for people. Pure.</summary>
internal static class SlurmClusterFacts
{
    /// <summary>Whether the bridge has answered: true or false as the cluster could be reached; null before.</summary>
    public static bool? IsReachable(JsonObject? cluster) => (bool?)cluster?["status"]?["reachable"];

    /// <summary>Why it can't be used, or what is wrong with it; null when nothing is.</summary>
    public static string? Message(JsonObject? cluster) => (string?)cluster?["status"]?["message"];

    /// <summary>E.g. "slurm 22.05.8, gpu: 4 nodes, 32 of 32 h100 free; cpu: 1 node".</summary>
    public static string Summary(JsonObject cluster)
    {
        var partitions = cluster["status"]?["partitions"]?.AsArray().OfType<JsonObject>().Select(Partition) ?? [];
        return $"Slurm {(string?)cluster["status"]?["version"] ?? "of an unknown version"}, {(partitions.Any() ? string.Join("; ", partitions) : "no partitions")}";
    }

    private static string Partition(JsonObject partition)
    {
        var nodes = (int?)partition["nodes"] ?? 0;
        var gpus = partition["gpus"] is JsonObject found ? $", {Number(found["free"])} of {Number(found["total"])} {(string?)found["type"] ?? "GPUs"} free" : "";
        var state = (string?)partition["state"] is { } said and not "up" ? $", {said}" : "";
        return $"{(string?)partition["name"]}: {nodes.ToString(CultureInfo.InvariantCulture)} {(nodes == 1 ? "node" : "nodes")}{gpus}{state}";
    }

    private static string Number(JsonNode? number) => ((int?)number ?? 0).ToString(CultureInfo.InvariantCulture);
}
