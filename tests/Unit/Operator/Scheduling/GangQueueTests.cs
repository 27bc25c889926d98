using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Tests.Builders;
using Trestle.Runtime;
using static Trestle.Api.V1Alpha1.TrainingJobPhase;

namespace Trestle.Operator.Tests.Scheduling;

public sealed class GangQueueTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Queued_jobs_are_gangs_of_their_own()
    {
        var queue = Of(null, AJob.Named("a").Nodes(3).Phase(Queued).Build(), AJob.Named("b").Phase(Running).Build(), AJob.Named("c").Build());

        queue.Gangs.ShouldHaveSingleItem().Jobs.ShouldHaveSingleItem().Nodes.ShouldBe(3);
    }

    [Fact]
    public void Jobs_that_are_to_end_or_to_pause_get_no_nodes() =>
        Of(null, AJob.Named("a").Phase(Queued).Cancelled().Build(), AJob.Named("b").Phase(Queued).Deleted(Now).Build(), AJob.Named("c").Phase(Queued).With(job => job.Spec.Suspend = true).Build())
            .Gangs.ShouldBeEmpty();

    [Theory]
    [InlineData(Restarting)]
    [InlineData(Queued)]
    public void A_job_that_starts_again_waits_for_its_time(TrainingJobPhase phase)
    {
        var job = AJob.Named("a").Phase(phase).With(job => job.Status!.Retry = new RetryStatus { NotBefore = Now.AddSeconds(10).UtcDateTime }).Build();

        var early = Of(null, job);
        early.Gangs.ShouldBeEmpty();
        early.Next.ShouldBe(Now.AddSeconds(10));
        GangQueue.Of(JobCards.Of([job], _ => Nodes.Gpus(1)), _ => null, Now.AddSeconds(10)).Gangs.Count.ShouldBe(1);
    }

    [Fact]
    public void The_tasks_of_a_group_are_one_gang()
    {
        var group = AGroup.Named().Primary("train").Auxiliary("eval").Build();
        var queue = Of(group, AGroup.JobOf(group, "train", Queued), AGroup.JobOf(group, "eval", Queued));

        var gang = queue.Gangs.ShouldHaveSingleItem();
        gang.Jobs.Select(job => job.Job.Name).ShouldBe(["g-eval", "g-train"]);
        gang.Begun.ShouldBeFalse();
    }

    [Fact]
    public void A_task_waits_until_all_tasks_of_its_group_are_queued()
    {
        var group = AGroup.Named().Primary("train").Auxiliary("eval").Build();

        Of(group, AGroup.JobOf(group, "train", Queued)).Held.ShouldHaveSingleItem().Reason.ShouldBe("waiting for the other tasks of its group to be created");
        var queue = Of(group, AGroup.JobOf(group, "train", Queued), AGroup.JobOf(group, "eval", Pending));
        queue.Gangs.ShouldBeEmpty();
        queue.Held.ShouldHaveSingleItem().Reason.ShouldBe("waiting for task eval of its group, which is Pending");
    }

    [Fact]
    public void Tasks_go_by_themselves_when_the_group_says_so()
    {
        var group = AGroup.Named().Primary("train").Auxiliary("eval").With(group => group.Spec.Gang = GangPolicy.PerTask).Build();

        Of(group, AGroup.JobOf(group, "train", Queued), AGroup.JobOf(group, "eval", Pending)).Gangs.ShouldHaveSingleItem().Jobs[0].Job.Name.ShouldBe("g-train");
    }

    [Fact]
    public void A_task_that_restarts_goes_by_itself()
    {
        var group = AGroup.Named().Primary("train").Auxiliary("eval").Build();
        var again = AGroup.JobOf(group, "train", Restarting, change: job => job.Status!.Attempt = 1);

        Of(group, again, AGroup.JobOf(group, "eval", Running, change: job => job.Status!.Attempt = 1)).Gangs.ShouldHaveSingleItem().Jobs.Count.ShouldBe(1);
    }

    [Fact]
    public void A_task_that_ended_before_it_began_does_not_hold_the_others()
    {
        var group = AGroup.Named().Primary("train").Auxiliary("eval").Build();

        Of(group, AGroup.JobOf(group, "train", Queued), AGroup.JobOf(group, "eval", Failed)).Gangs.ShouldHaveSingleItem().Jobs.ShouldHaveSingleItem();
    }

    [Fact]
    public void The_rest_of_a_gang_that_was_cut_off_goes_first()
    {
        var group = AGroup.Named().Primary("train").Auxiliary("eval").Build();

        Of(group, AGroup.JobOf(group, "train", Queued), AGroup.JobOf(group, "eval", Admitted, change: job => job.Status!.Attempt = 1)).Gangs.ShouldHaveSingleItem().Begun.ShouldBeTrue();
    }

    [Fact]
    public void A_job_launched_from_a_group_goes_by_itself() =>
        Of(AGroup.Named().Primary("train").Build(), AJob.Named("eval-1").Phase(Queued).With(job => job.Spec.Group = "g").Build()).Gangs.Count.ShouldBe(1);

    [Fact]
    public void Nodes_that_failed_twice_or_last_are_avoided()
    {
        var job = AJob.Named("a").Phase(Queued).With(job => job.Status!.Retry = new RetryStatus
        {
            Nodes = [new NodeFailures { Node = "n1", Failures = 2 }, new NodeFailures { Node = "n2", Failures = 1 }, new NodeFailures { Node = "n3", Failures = 1 }],
        }).Build();

        Of(null, job).Gangs[0].Jobs[0].Avoid.ShouldBe(["n1", "n3"], ignoreOrder: true);
    }

    private static GangQueue Of(JobGroup? group, params TrainingJob[] jobs) =>
        GangQueue.Of(JobCards.Of(jobs, _ => Nodes.Gpus(1)), key => group is not null && group.Key() == key ? group : null, Now);
}
