using System.Diagnostics;
using System.Globalization;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Telemetry;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.Telemetry;

public sealed class JobSpansTests
{
    [Fact]
    public async Task A_life_is_one_trace_with_a_span_for_each_phase_and_one_around_them()
    {
        using var spans = new CollectedSpans();
        var life = await new JobLife(AJob.Named("life").Nodes(2).Restarts(1), new JobSpans(TimeProvider.System).Observe).LiveAsync();

        var uid = life.Job.Metadata.Uid;
        var all = spans.Of(uid);
        all.Select(Told).ShouldBe(
        [
            "Pending 0-2", "Queued 2-10", "Admitted 10-11", "Starting 11-15", "Running 15-75", "Restarting 75-95",
            "Admitted 95-95", "Starting 95-97", "Running 97-127", "trainingjob 0-127",
        ]);
        var root = JobTrace.Root(uid);
        all.ShouldAllBe(span => span.TraceId == root.TraceId);
        all.SkipLast(1).ShouldAllBe(span => span.ParentSpanId == root.SpanId);
        (all[^1].SpanId, all[^1].ParentSpanId).ShouldBe((root.SpanId, default));
        all.Select(span => span.SpanId).Distinct().Count().ShouldBe(all.Count);
    }

    [Fact]
    public async Task Spans_tell_whose_they_are_and_why()
    {
        using var spans = new CollectedSpans();
        var life = await new JobLife(AJob.Named("told").Restarts(1), new JobSpans(TimeProvider.System).Observe).LiveAsync();

        var all = spans.Of(life.Job.Metadata.Uid);
        all.ShouldAllBe(span => Equals(span.GetTagItem("k8s.namespace.name"), "research") && Equals(span.GetTagItem("trestle.job.name"), "told"));
        all.Select(span => span.GetTagItem("trestle.job.attempt")).ShouldBe([null, null, 1, 1, 1, 1, 2, 2, 2, 2]);
        all.Single(span => span.OperationName == "Restarting").GetTagItem("trestle.job.reason").ShouldBe("RunFailed");
        all[^1].GetTagItem("trestle.job.phase").ShouldBe("Succeeded");
        all[^1].Status.ShouldBe(ActivityStatusCode.Unset);
    }

    [Fact]
    public async Task An_operator_that_comes_in_the_middle_goes_on_with_the_same_spans()
    {
        using var spans = new CollectedSpans();
        var transitions = new List<JobTransition>();
        var life = await new JobLife(AJob.Named("handed-over").Restarts(1), transitions.Add).LiveAsync();
        var uid = life.Job.Metadata.Uid;
        transitions.ForEach(new JobSpans(TimeProvider.System).Observe);
        var once = spans.Of(uid).Select(Identity).ToList();

        // Each change is seen by a process that knows nothing of those before.
        foreach (var transition in transitions) new JobSpans(TimeProvider.System).Observe(transition);

        spans.Of(uid).Select(Identity).ShouldBe([.. once, .. once]);
    }

    [Fact]
    public void A_failed_job_is_an_error_with_its_reason_and_without_its_output()
    {
        using var spans = new CollectedSpans();
        new JobSpans(TimeProvider.System).Observe(new JobTransition(Running("failed"), AJob.Named("failed").Phase(TrainingJobPhase.Failed).With(job =>
        {
            job.Status!.Timeline = new TrainingJobTimeline { FinishedAt = JobLife.Noon.AddSeconds(9) };
            (job.Status.Reason, job.Status.Message) = ("RunFailed", "password=hunter2");
        }).Build()));

        var all = spans.Of("uid-failed");
        all.Select(span => span.OperationName).ShouldBe(["Running", "trainingjob"]);
        (all[1].Status, all[1].StatusDescription).ShouldBe((ActivityStatusCode.Error, "RunFailed"));
        all.SelectMany(span => span.TagObjects).ShouldAllBe(tag => !$"{tag.Value}".Contains("hunter2"));
    }

    [Fact]
    public void A_job_deleted_before_its_end_ends_its_trace()
    {
        using var spans = new CollectedSpans();
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(new DateTimeOffset(JobLife.Noon.AddSeconds(30)));

        new JobSpans(time).Observe(new JobTransition(Running("deleted"), null));

        var all = spans.Of("uid-deleted");
        all.Select(Told).ShouldBe(["Running 0-30", "trainingjob 30-30"]);
        all[1].GetTagItem("trestle.job.phase").ShouldBe("Deleted");
    }

    [Fact]
    public void What_happens_after_the_end_is_in_no_trace()
    {
        using var spans = new CollectedSpans();
        var ended = AJob.Named("ended").Phase(TrainingJobPhase.Succeeded).With(job => job.Status!.Timeline = new TrainingJobTimeline { FinishedAt = JobLife.Noon }).Build();

        new JobSpans(TimeProvider.System).Observe(new JobTransition(ended, ended));
        new JobSpans(TimeProvider.System).Observe(new JobTransition(ended, null));

        spans.Of("uid-ended").ShouldBeEmpty();
    }

    [Fact]
    public void The_ids_of_a_trace_are_these_for_ever()
    {
        var root = JobTrace.Root("6f2b1c1e-6d0f-4b0e-9f6b-0d3f7c0a4a11");

        // SHA-256 of the uid: sum it by hand with printf %s UID | sha256sum.
        (root.TraceId.ToHexString(), root.SpanId.ToHexString()).ShouldBe(("d577f62ba06bcec622a3a54602294f30", "89faac5a319a895b"));
    }

    private static TrainingJob Running(string name) => AJob.Named(name).Admitted(1, "n0").Running(new DateTimeOffset(JobLife.Noon)).Build();

    // An activity lasts a tick at least.
    private static string Told(Activity span) => string.Create(
        CultureInfo.InvariantCulture, $"{span.OperationName} {(span.StartTimeUtc - JobLife.Noon).TotalSeconds:0.###}-{(span.StartTimeUtc + span.Duration - JobLife.Noon).TotalSeconds:0.###}");

    private static (string, ActivityTraceId, ActivitySpanId, ActivitySpanId, DateTime, TimeSpan) Identity(Activity span) =>
        (span.OperationName, span.TraceId, span.SpanId, span.ParentSpanId, span.StartTimeUtc, span.Duration);
}
