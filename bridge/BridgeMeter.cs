using Prometheus;
using Trestle.Runtime;

namespace Trestle.Bridge;

/// <summary>What the bridge measures. No names in labels: there would be a series for every job.</summary>
internal static class BridgeMeter
{
    private static readonly CollectorRegistry Registry = Metrics.NewCustomRegistry();

    private static readonly MetricFactory Make = Metrics.WithCustomRegistry(Registry);
    private static readonly Counter Looks = Counter(BridgeMetricTable.Looks);
    private static readonly Counter Answers = Counter(BridgeMetricTable.Answers);
    private static readonly Gauge Served = Make.CreateGauge(BridgeMetricTable.Clusters.Name, BridgeMetricTable.Clusters.Meaning);

    static BridgeMeter() => DotNetStats.Register(Registry);

    /// <summary>Writes all of it as Prometheus reads it.</summary>
    public static Task WriteAsync(Stream page, CancellationToken ct) => Registry.CollectAndExportAsTextAsync(page, ct);

    public static void Looked(bool worked) => Looks.WithLabels(worked ? "answered" : "lost").Inc();

    public static void Answered(Jobs.SubmissionAnswer answer) => Answers.WithLabels(answer.GetType().Name).Inc();

    public static void Serves(int clusters) => Served.Set(clusters);

    private static Counter Counter(MetricDefinition definition) => Make.CreateCounter(definition.Name, definition.Meaning, [.. definition.Labels]);
}
