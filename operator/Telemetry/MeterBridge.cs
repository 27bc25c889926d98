using System.Diagnostics.Metrics;
using Prometheus;
using Trestle.Runtime;

namespace Trestle.Operator.Telemetry;

/// <summary>Brings what the runtime and the scheduler measure under the names of <see cref="MetricTable"/>.</summary>
internal sealed class MeterBridge : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Prometheus.Histogram _passes;
    private readonly Prometheus.Histogram _reconciles;
    private readonly Counter _failures;

    public MeterBridge(MetricMaker make)
    {
        _passes = make.Histogram(MetricTable.AdmissionPass);
        _reconciles = make.Histogram(MetricTable.ReconcileDuration);
        _failures = make.Counter(MetricTable.ReconcileFailures);
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    /// <summary>Listens to the whole process.</summary>
    public void Start()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (SinkOf(instrument) is { } sink) listener.EnableMeasurementEvents(instrument, sink);
        };
        _listener.SetMeasurementEventCallback<double>((_, value, tags, sink) => ((Action<double, string>)sink!)(value, First(tags)));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, sink) => ((Action<double, string>)sink!)(value, First(tags)));
        _listener.Start();
    }

    private Action<double, string>? SinkOf(Instrument instrument) => (instrument.Meter.Name, instrument.Name) switch
    {
        (OperatorMeter.Name, "trestle.admission.pass.duration") => (seconds, _) => _passes.Observe(seconds),
        (Controller.TelemetryName, "trestle.reconcile.duration") => (seconds, controller) => _reconciles.WithLabels(controller).Observe(seconds),
        (Controller.TelemetryName, "trestle.reconcile.failures") => (count, controller) => _failures.WithLabels(controller).Inc(count),
        _ => null,
    };

    private static string First(ReadOnlySpan<KeyValuePair<string, object?>> tags) => tags.IsEmpty ? "" : tags[0].Value as string ?? "";
}
