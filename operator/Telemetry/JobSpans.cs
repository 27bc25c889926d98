using System.Diagnostics;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Telemetry;

/// <summary>
/// Writes one trace a job: a span for each phase when the phase is over, and the span around them when the job is. Times are
/// those of the job's status. Messages are left out: they may hold output of the user's program.
/// </summary>
internal sealed class JobSpans(TimeProvider time)
{
    /// <summary>Name of the source.</summary>
    public const string SourceName = "Trestle.Operator";

    /// <summary>Name of the span from submit to end.</summary>
    public const string RootName = "trainingjob";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Writes the spans that the change ends.</summary>
    public void Observe(JobTransition transition)
    {
        if (!Source.HasListeners()) return;
        var (old, now) = (transition.Old, transition.Now);
        if (old?.Status?.HasEnded() == true) return;
        if (now is null)
        {
            Write(old!, PhaseOf(old!), time.GetUtcNow().UtcDateTime);
            WriteRoot(old!, JobCounters.Deleted, time.GetUtcNow().UtcDateTime);
            return;
        }

        var (before, after) = (PhaseOf(old ?? now), PhaseOf(now));
        var changedAt = JobClock.PhaseSince(now) ?? time.GetUtcNow().UtcDateTime;
        if (old is not null && before != after) Write(old, before, changedAt);
        if (now.Status?.HasEnded() == true) WriteRoot(now, after.ToString(), changedAt);
    }

    private static void Write(TrainingJob job, TrainingJobPhase phase, DateTime end)
    {
        var root = JobTrace.Root(job.Metadata.Uid);
        var began = JobClock.PhaseSince(job) ?? end;
        using var span = Source.StartActivity(phase.ToString(), ActivityKind.Internal, root, startTime: Utc(began));
        if (span is null) return;
        ChosenSpanId.Set(span, JobTrace.Phase(job.Metadata.Uid, phase.ToString(), began));
        Describe(span, job);
        Finish(span, began, end);
    }

    private static void WriteRoot(TrainingJob job, string phase, DateTime end)
    {
        var root = JobTrace.Root(job.Metadata.Uid);
        var began = job.Metadata.CreationTimestamp ?? end;

        // A context without a span: the trace is chosen and there is no parent.
        var trace = new ActivityContext(root.TraceId, default, root.TraceFlags);
        using var span = Source.StartActivity(RootName, ActivityKind.Internal, trace, startTime: Utc(began));
        if (span is null) return;
        ChosenSpanId.Set(span, root.SpanId);
        Describe(span, job);
        span.SetTag("trestle.job.phase", phase);
        if (phase == nameof(TrainingJobPhase.Failed)) span.SetStatus(ActivityStatusCode.Error, job.Status?.Reason);
        Finish(span, began, end);
    }

    private static void Describe(Activity span, TrainingJob job)
    {
        span.SetTag("k8s.namespace.name", job.Metadata.NamespaceProperty);
        span.SetTag("trestle.job.name", job.Metadata.Name);
        span.SetTag("trestle.job.uid", job.Metadata.Uid);
        if (job.Status?.Attempt is { } attempt) span.SetTag("trestle.job.attempt", attempt);
        if (job.Status?.Reason is { } reason) span.SetTag("trestle.job.reason", reason);
    }

    private static void Finish(Activity span, DateTime began, DateTime end) => span.SetEndTime(Utc(end > began ? end : began).UtcDateTime);

    private static DateTimeOffset Utc(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));

    private static TrainingJobPhase PhaseOf(TrainingJob job) => job.Status?.Phase ?? TrainingJobPhase.Pending;
}
