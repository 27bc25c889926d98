using System.Diagnostics;
using Trestle.Operator.Telemetry;

namespace Trestle.Operator.Tests.Telemetry;

/// <summary>Spans of the whole process, in the order of their ends.</summary>
internal sealed class CollectedSpans : IDisposable
{
    private readonly List<Activity> _ended = [];
    private readonly ActivityListener _listener;

    public CollectedSpans()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == JobSpans.SourceName,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                lock (_ended) _ended.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public List<Activity> Of(string uid)
    {
        lock (_ended) return [.. _ended.Where(span => Equals(span.GetTagItem("trestle.job.uid"), uid))];
    }

    public void Dispose() => _listener.Dispose();
}
