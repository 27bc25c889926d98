using Prometheus;

namespace Trestle.Bridge;

/// <summary>What the bridge measures. No names in labels: there would be a series for every job.</summary>
internal static class BridgeMeter
{
    private static readonly CollectorRegistry Registry = Metrics.NewCustomRegistry();

    private static readonly MetricFactory Make = Metrics.WithCustomRegistry(Registry);
    private static readonly Counter Looks = Make.CreateCounter("trestle_bridge_looks_total", "Looks into the queue of a cluster, by result.", ["result"]);
    private static readonly Counter Answers = Make.CreateCounter("trestle_bridge_submission_answers_total", "Answers about submissions, by kind.", ["answer"]);
    private static readonly Gauge Served = Make.CreateGauge("trestle_bridge_clusters", "Clusters that this process serves.");

    static BridgeMeter() => DotNetStats.Register(Registry);

    /// <summary>Writes all of it as Prometheus reads it.</summary>
    public static Task WriteAsync(Stream page, CancellationToken ct) => Registry.CollectAndExportAsTextAsync(page, ct);

    public static void Looked(bool worked) => Looks.WithLabels(worked ? "answered" : "lost").Inc();

    public static void Answered(Jobs.SubmissionAnswer answer) => Answers.WithLabels(answer.GetType().Name).Inc();

    public static void Serves(int clusters) => Served.Set(clusters);
}
