using Prometheus;

namespace Trestle.Operator.Telemetry;

/// <summary>All metrics of one process. Counters last as long as it, gauges as long as it leads.</summary>
internal sealed class OperatorMetrics : IDisposable
{
    private readonly CollectorRegistry _registry = Metrics.NewCustomRegistry();
    private readonly MeterBridge _bridge;
    private readonly CensusGauges _gauges;

    public OperatorMetrics(TimeProvider time)
    {
        var (make, labels) = (new MetricMaker(_registry), new MetricLabels());
        _gauges = new CensusGauges(make, labels, time);
        Jobs = new JobCounters(make, labels);
        _bridge = new MeterBridge(make);
        _registry.AddBeforeCollectCallback(_gauges.Refresh);
    }

    /// <summary>What is counted from the changes of jobs.</summary>
    public JobCounters Jobs { get; }

    /// <inheritdoc/>
    public void Dispose() => _bridge.Dispose();

    /// <summary>Adds what the process measures of itself: admission passes, reconciles, CPU and memory.</summary>
    public OperatorMetrics WithProcess()
    {
        _bridge.Start();
        DotNetStats.Register(_registry);
        return this;
    }

    /// <summary>Where the gauges are counted from; null: nowhere.</summary>
    public void Look(WatchedCaches? caches) => _gauges.Look(caches);

    /// <summary>Writes the text format of Prometheus, version 0.0.4.</summary>
    public Task WriteAsync(Stream to, CancellationToken ct) => _registry.CollectAndExportAsTextAsync(to, ct);
}
