using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.Scheduling;

public sealed class JobMarkTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_job_that_comes_or_goes_makes_a_pass_necessary()
    {
        JobMark.Differs(null, Job()).ShouldBeTrue();
        JobMark.Differs(Job(), null).ShouldBeTrue();
    }

    [Fact]
    public void What_a_job_is_told_of_its_place_and_its_ranks_does_not()
    {
        JobMark.Differs(Job(), QueueStatuses.Waiting(Job(), 3, "waiting for 8 GPUs, 0 free")).ShouldBeFalse();
        JobMark.Differs(Job(), Job(job => job.Status!.Nodes = new NodesStatus { Desired = 2, Ready = 1 })).ShouldBeFalse();
    }

    public static TheoryData<string, Action<TrainingJob>> Changes => new()
    {
        { "another object of its name", job => job.Metadata.Uid = "another" },
        { "another spec", job => job.Metadata.Generation = 2 },
        { "deleted", job => job.Metadata.DeletionTimestamp = Noon.UtcDateTime },
        { "cancelled", job => job.Metadata.Annotations = new Dictionary<string, string> { [Api.Launch.Annotations.Cancel] = "true" } },
        { "another phase", job => job.Status!.Phase = TrainingJobPhase.Running },
        { "admitted by another scheduler", job => job.Status!.SchedulingMode = SchedulingMode.Kueue },
        { "another attempt", job => job.Status!.Attempt = 2 },
        { "fewer ranks", job => job.Status!.Admission!.Ranks!.RemoveAt(0) },
        { "another node", job => job.Status!.Admission!.Ranks![1].Node = "n3" },
        { "fewer nodes than asked for", job => job.Status!.Admission!.Size = 1 },
        { "queued again", job => job.Status!.Queue = new QueueStatus { QueuedAt = Noon.UtcDateTime } },
        { "a retry", job => job.Status!.Retry = new RetryStatus { NotBefore = Noon.UtcDateTime } },
        { "fewer nodes are enough", job => job.Status!.Retry = new RetryStatus { MinNodes = 1 } },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void What_a_pass_decides_by_does(string what, Action<TrainingJob> change) => JobMark.Differs(Job(), Job(change)).ShouldBeTrue(what);

    private static TrainingJob Job(Action<TrainingJob>? change = null) => AJob.Named().Admitted(1, "n1", "n2").With(change ?? (_ => { })).Build();
}
