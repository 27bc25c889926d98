using Prometheus;
using Trestle.Runtime;

namespace Trestle.Operator.Telemetry;

/// <summary>Makes instruments from their definitions.</summary>
internal sealed class MetricMaker(CollectorRegistry registry)
{
    private readonly MetricFactory _factory = Metrics.WithCustomRegistry(registry);

    public Counter Counter(MetricDefinition definition) => _factory.CreateCounter(definition.Name, definition.Meaning, [.. definition.Labels]);

    public Gauge Gauge(MetricDefinition definition) => _factory.CreateGauge(definition.Name, definition.Meaning, [.. definition.Labels]);

    public Histogram Histogram(MetricDefinition definition) =>
        _factory.CreateHistogram(definition.Name, definition.Meaning, [.. definition.Labels], new HistogramConfiguration { Buckets = definition.Buckets?.ToArray() });
}
