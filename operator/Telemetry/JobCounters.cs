using Prometheus;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Telemetry;

/// <summary>Counts what happens to jobs, each thing once, when it is seen in their status.</summary>
internal sealed class JobCounters
{
    /// <summary>Last phase of a job whose object was deleted before its end.</summary>
    public const string Deleted = "Deleted";

    private static readonly (string Cause, Func<RestartCounts, int?> Count)[] Causes =
    [
        ("user", counts => counts.Counted),
        ("infrastructure", counts => counts.Infrastructure),
        ("preemption", counts => counts.Preempted),
        ("recoverable", counts => counts.Recovered),
    ];

    private static readonly RestartCounts None = new();

    private readonly MetricLabels _labels;
    private readonly Counter _attempts;
    private readonly Counter _restarts;
    private readonly Counter _finished;
    private readonly Histogram _queueWait;
    private readonly Histogram _gangStart;

    public JobCounters(MetricMaker make, MetricLabels labels)
    {
        _labels = labels;
        _attempts = make.Counter(MetricTable.Attempts);
        _restarts = make.Counter(MetricTable.Restarts);
        _finished = make.Counter(MetricTable.Finished);
        _queueWait = make.Histogram(MetricTable.QueueWait);
        _gangStart = make.Histogram(MetricTable.GangStart);

        // A rate needs the zero before the first one.
        foreach (var (cause, _) in Causes) _restarts.WithLabels(cause);
        foreach (var phase in (string[])[nameof(TrainingJobPhase.Succeeded), nameof(TrainingJobPhase.Failed), nameof(TrainingJobPhase.Cancelled), Deleted]) _finished.WithLabels(phase);
    }

    /// <summary>Counts what the change tells.</summary>
    public void Observe(JobTransition transition)
    {
        var before = transition.Old?.Status ?? new TrainingJobStatus();
        if (transition.Now is not { } job)
        {
            if (!before.HasEnded()) _finished.WithLabels(Deleted).Inc();
            return;
        }

        var after = job.Status ?? new TrainingJobStatus();
        ObserveAdmission(job, before, after);
        ObserveStart(before, after);
        foreach (var (cause, count) in Causes) _restarts.WithLabels(cause).Inc(Grown(count(before.Restarts ?? None), count(after.Restarts ?? None)));
        if (!before.HasEnded() && after.HasEnded()) _finished.WithLabels(after.Phase!.Value.ToString()).Inc();
    }

    private void ObserveAdmission(TrainingJob job, TrainingJobStatus before, TrainingJobStatus after)
    {
        if (!(after.Attempt > (before.Attempt ?? 0))) return;
        _attempts.WithLabels(_labels.QueueOf(job)).Inc(after.Attempt.Value - (before.Attempt ?? 0));
        if (JobClock.AdmittedAt(after) is not { } admitted || JobClock.WaitsSince(after) is not { } since) return;
        var (queue, priority) = _labels.PairOf(job);
        _queueWait.WithLabels(queue, priority).Observe(Seconds(since, admitted));
    }

    private void ObserveStart(TrainingJobStatus before, TrainingJobStatus after)
    {
        if (JobClock.ReadyAt(after) is not { } ready || JobClock.AdmittedAt(after) is not { } admitted) return;
        if (JobClock.ReadyAt(before) is not null && before.Attempt == after.Attempt) return;
        _gangStart.Observe(Seconds(admitted, ready));
    }

    // A count that fell was begun anew, as it is with counters of Prometheus.
    private static int Grown(int? before, int? after) => (after ?? 0) - (after >= before ? before ?? 0 : 0);

    private static double Seconds(DateTime from, DateTime to) => Math.Max((to - from).TotalSeconds, 0);
}
