using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Telemetry;

/// <summary>
/// Metrics and traces of an operator. All of it is read from the changes of the caches and from what the runtime and the
/// scheduler measure; nothing that decides knows of it. What was not asked for is not made.
/// </summary>
internal sealed class OperatorTelemetry : IAsyncDisposable
{
    private readonly ILogger _log;
    private readonly JobSpans? _spans;
    private readonly IDisposable? _export;
    private readonly OperatorMetrics? _metrics;
    private readonly MetricsServer? _server;

    private OperatorTelemetry(OperatorOptions options, IConfiguration environment, TimeProvider time, ILogger log)
    {
        _log = log;
        _export = TraceExport.Open(environment);
        _spans = _export is null ? null : new JobSpans(time);
        if (options.MetricsListen is null) return;
        _metrics = new OperatorMetrics(time).WithProcess();
        _server = new MetricsServer(_metrics);
    }

    /// <summary>Where metrics are served; null when they are off.</summary>
    public string? MetricsUrl { get; private set; }

    /// <summary>Begins for the life of the process.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="environment">The environment variables.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where it is told.</param>
    /// <param name="ct">Ends the start.</param>
    /// <exception cref="InvalidOperationException">MetricsListen or a variable of OpenTelemetry can't be used.</exception>
    public static async Task<OperatorTelemetry> StartAsync(OperatorOptions options, IConfiguration environment, TimeProvider time, ILogger log, CancellationToken ct)
    {
        var telemetry = new OperatorTelemetry(options, environment, time, log);
        try
        {
            if (telemetry._server is { } server)
            {
                telemetry.MetricsUrl = await server.StartAsync(options.MetricsListen!, ct);
                OperatorLog.ServesMetrics(log, telemetry.MetricsUrl);
            }

            return telemetry;
        }
        catch
        {
            await telemetry.DisposeAsync();
            throw;
        }
    }

    /// <summary>Watches one term of leading, until it is disposed; before the informers run.</summary>
    public IDisposable Watch(Informer<TrainingJob> jobs, Informer<PodView> pods, Informer<NodeView> nodes)
    {
        if (_spans is not null) JobFeed.Follow(jobs, _spans.Observe, _log);
        if (_metrics is not null) JobFeed.Follow(jobs, _metrics.Jobs.Observe, _log);
        _metrics?.Look(new WatchedCaches(jobs.Cache, pods.Cache, nodes.Cache) { Filled = Task.WhenAll(jobs.Synced, pods.Synced, nodes.Synced) });
        return new Term(_metrics);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _metrics?.Dispose();
        _export?.Dispose();
    }

    private sealed class Term(OperatorMetrics? metrics) : IDisposable
    {
        public void Dispose() => metrics?.Look(null);
    }
}
