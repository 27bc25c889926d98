using Trestle.Runtime;
using static Trestle.Runtime.MetricType;

namespace Trestle.Bridge;

/// <summary>All metrics of the bridge. Labels hold no object names: there would be one more series for every job.</summary>
internal static class BridgeMetricTable
{
    public static readonly MetricDefinition Clusters = new("trestle_bridge_clusters", Gauge, "clusters", [], "Slurm clusters that this process serves: those whose lease it holds.");

    public static readonly MetricDefinition Looks = new("trestle_bridge_looks_total", Counter, "looks", ["result"], "Looks into the queue of a cluster as one of its users.");

    public static readonly MetricDefinition Answers = new("trestle_bridge_submission_answers_total", Counter, "answers", ["answer"], "What login nodes answered about attempts that were sent or looked for.");

    /// <summary>In the order of the documentation.</summary>
    public static readonly IReadOnlyList<MetricDefinition> All = [Clusters, Looks, Answers];
}
