using Prometheus;

namespace Trestle.Operator.Telemetry;

/// <summary>Gauges that are counted from the caches when somebody asks, and not more often than every few seconds.</summary>
internal sealed class CensusGauges
{
    /// <summary>Askers within so long get the same figures.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly MetricLabels _labels;
    private readonly TimeProvider _time;
    private readonly Gauge _leader;
    private readonly Gauge _jobs;
    private readonly Gauge _queueJobs;
    private readonly Gauge _queueOldest;
    private readonly Gauge _allocatable;
    private readonly Gauge _allocated;
    private readonly Gauge _free;
    private readonly Gauge _requested;
    private WatchedCaches? _caches;
    private long? _takenAt;

    public CensusGauges(MetricMaker make, MetricLabels labels, TimeProvider time)
    {
        (_labels, _time) = (labels, time);
        _leader = make.Gauge(MetricTable.Leader);
        _jobs = make.Gauge(MetricTable.Jobs);
        _queueJobs = make.Gauge(MetricTable.QueueJobs);
        _queueOldest = make.Gauge(MetricTable.QueueOldest);
        _allocatable = make.Gauge(MetricTable.AllocatableGpus);
        _allocated = make.Gauge(MetricTable.AllocatedGpus);
        _free = make.Gauge(MetricTable.FreeGpus);
        _requested = make.Gauge(MetricTable.RequestedGpus);
    }

    /// <summary>Counts from these caches from now on; from none when null, so that two processes never tell of one cluster.</summary>
    public void Look(WatchedCaches? caches)
    {
        lock (_lock)
        {
            (_caches, _takenAt) = (caches, null);
            _leader.Set(caches is null ? 0 : 1);
            if (caches is null) Clear();
        }
    }

    /// <summary>Brings the gauges up to date.</summary>
    public void Refresh()
    {
        lock (_lock)
        {
            if (_caches is not { Filled.IsCompleted: true } || (_takenAt is { } at && _time.GetElapsedTime(at) < Freshness)) return;
            _takenAt = _time.GetTimestamp();
            var now = _time.GetUtcNow().UtcDateTime;
            var jobs = _caches.Jobs.Items;
            Publish(QueueCensus.Take(jobs, _labels, now), now);
            Publish(GpuCensus.Take(_caches.Nodes.Items, _caches.Pods.Items, jobs, _labels));
        }
    }

    private void Publish(QueueCensus census, DateTime now)
    {
        Set(_jobs, census.Phases.Select(phase => (Labels(phase.Key.ToString()), (double)phase.Value)));
        Set(_queueJobs, census.Queues.Select(queue => (Labels(queue.Key.Queue, queue.Key.Priority), (double)queue.Value.Jobs)));
        Set(_queueOldest, census.Queues.Select(queue => (Labels(queue.Key.Queue, queue.Key.Priority), Math.Max((now - queue.Value.Oldest).TotalSeconds, 0))));
        Set(_requested, census.Requested.Select(type => (Labels(type.Key), (double)type.Value)));
    }

    private void Publish(IReadOnlyDictionary<string, GpuCount> gpus)
    {
        Set(_allocatable, gpus.Select(type => (Labels(type.Key), (double)type.Value.Allocatable)));
        Set(_allocated, gpus.Select(type => (Labels(type.Key), (double)type.Value.Allocated)));
        Set(_free, gpus.Select(type => (Labels(type.Key), (double)type.Value.Free)));
    }

    private void Clear()
    {
        foreach (var gauge in (Gauge[])[_jobs, _queueJobs, _queueOldest, _allocatable, _allocated, _free, _requested]) Set(gauge, []);
    }

    // What is not there any more must not stay at its last value.
    private static void Set(Gauge gauge, IEnumerable<(string[] Labels, double Value)> figures)
    {
        var stale = gauge.GetAllLabelValues().ToDictionary(labels => string.Join('\0', labels));
        foreach (var (labels, value) in figures)
        {
            stale.Remove(string.Join('\0', labels));
            gauge.WithLabels(labels).Set(value);
        }

        foreach (var labels in stale.Values) gauge.RemoveLabelled(labels);
    }

    private static string[] Labels(params string[] values) => values;
}
