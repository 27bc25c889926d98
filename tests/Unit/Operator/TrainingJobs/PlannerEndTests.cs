using Trestle.Api.V1Alpha1;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.TrainingJobs;

public sealed class PlannerEndTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Before = Noon.AddMinutes(-10);

    [Fact]
    public void All_ranks_running_is_a_running_job()
    {
        var job = Two().Starting(Before).Build();
        var plan = Plan(job, APod.Of(job, 0).Running().Build(), APod.Of(job, 1).Running("n2").Build());
        var status = plan.Status.ShouldNotBeNull();
        (status.Phase, status.Reason, status.Message).ShouldBe((TrainingJobPhase.Running, "PodsReady", "2/2 nodes running on kubernetes"));
        status.Timeline!.StartedAt.ShouldBe(Noon.UtcDateTime);
        status.Since("PodsReady").ShouldBe(Noon);
        status.Nodes!.Ranks!.Select(rank => (rank.Rank, rank.Node, rank.State)).ShouldBe([(0, "n1", RankState.Running), (1, "n2", RankState.Running)]);
    }

    [Fact]
    public void All_ranks_ended_well_is_success_and_their_pods_stay()
    {
        var job = Two().Running(Before).Build();
        var plan = Plan(job, APod.Of(job, 0).Succeeded().Build(), APod.Of(job, 1).Succeeded().Build());
        (plan.Status!.Phase, plan.Status.Timeline!.FinishedAt).ShouldBe((TrainingJobPhase.Succeeded, Noon.UtcDateTime));
        plan.Status.Conditions!.ShouldContain(condition => condition.Type == "Complete" && condition.Status == "True");
        plan.Status.Admission.ShouldBeNull();
        plan.Effects.ShouldBeEmpty();
    }

    [Fact]
    public void A_rank_that_finished_stays_finished_when_its_pod_is_cleaned_away()
    {
        var job = Two().Running(Before).Build();
        job.Status = Plan(job, APod.Of(job, 0).Succeeded().Build(), APod.Of(job, 1).Running().Build()).Status;
        job.Status!.Phase.ShouldBe(TrainingJobPhase.Running);
        Plan(job, APod.Of(job, 1).Succeeded().Build()).Status!.Phase.ShouldBe(TrainingJobPhase.Succeeded);
    }

    [Fact]
    public void The_first_failed_rank_ends_the_attempt_and_its_pod_is_kept_for_the_log()
    {
        var job = Two().Restarts(1).Running(Before).Build();
        var plan = Plan(job, APod.Of(job, 0).Running().Build(), APod.Of(job, 1).Exited(3, "boom", node: "n2").Build());
        var status = plan.Status.ShouldNotBeNull();
        (status.Phase, status.Reason, status.Restarts!.Counted).ShouldBe((TrainingJobPhase.Restarting, "RunFailed", 1));
        status.Admission!.Ranks!.Select(rank => (rank.Rank, rank.Node)).ShouldBe([(0, "n1"), (1, "n2")], "a node is a coincidence once");
        status.Message.ShouldBe("rank 1 on node n2 ended with exit code 3; starts again in 10s (1 of 1 restarts used)");
        (status.Exit!.Rank, status.Exit.Code, status.Exit.Stage, status.Exit.Message).ShouldBe((1, 3, ExitStage.Run, "boom"));
        status.Retry!.NotBefore.ShouldBe(Noon.AddSeconds(10).UtcDateTime);
        plan.Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>().Pods.ShouldHaveSingleItem().Metadata.Name.ShouldBe("train-0-a1");
        plan.Event.ShouldNotBeNull().Warning.ShouldBeTrue();
    }

    [Fact]
    public void Deciding_twice_on_what_is_decided_counts_once()
    {
        var job = Two().Restarts(5).Running(Before).Build();
        PodView[] pods = [APod.Of(job, 0).Running().Build(), APod.Of(job, 1).Exited(3).Build()];
        job.Status = Plan(job, pods).Status;
        var again = Plan(job, pods);
        again.Status.ShouldBeNull();
        again.Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>();
    }

    [Fact]
    public void A_preempted_job_is_queued_again_where_it_stood_when_its_pods_have_ended()
    {
        var job = Two().Running(Before).Phase(TrainingJobPhase.Preempting).Build();
        (job.Status!.Reason, job.Status.Message) = ("Preempted", "gives its nodes to research/urgent");
        job.Status.Timeline = new TrainingJobTimeline { QueuedAt = Before.UtcDateTime };
        var ending = Plan(job, APod.Of(job, 0).Running().Build(), APod.Of(job, 1).Running("n2").Build());
        ending.Status?.Phase.ShouldBe(TrainingJobPhase.Preempting);
        ending.Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>().Pods.Count.ShouldBe(2);

        var ended = Plan(job).Status.ShouldNotBeNull();
        (ended.Phase, ended.Reason, ended.Restarts!.Preempted, ended.Restarts.Counted).ShouldBe((TrainingJobPhase.Queued, "Requeued", 1, null));
        (ended.Queue!.QueuedAt, ended.Admission).ShouldBe((Before.UtcDateTime, null));
    }

    [Fact]
    public void Failure_without_restarts_left_is_the_end()
    {
        var job = Two().Running(Before).Build();
        var plan = Plan(job, APod.Of(job, 0).Running().Build(), APod.Of(job, 1).Exited(1, "trestle: setup failed with exit code 1\nno pip").Build());
        (plan.Status!.Phase, plan.Status.Reason, plan.Status.Exit!.Stage).ShouldBe((TrainingJobPhase.Failed, "SetupFailed", ExitStage.Setup));
        plan.Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>().Pods.ShouldHaveSingleItem();
        plan.Status.Nodes!.Ranks!.Select(rank => rank.State).ShouldBe([RankState.Terminating, RankState.Failed]);
    }

    [Fact]
    public void A_pod_that_is_gone_restarts_the_job_for_free()
    {
        var job = Two().Running(Before).Build();
        var status = Plan(job, APod.Of(job, 0).Running().Build()).Status.ShouldNotBeNull();
        (status.Phase, status.Restarts!.Infrastructure, status.Restarts.Counted).ShouldBe((TrainingJobPhase.Restarting, 1, null));
        status.Conditions!.ShouldContain(condition => condition.Type == "Disrupted" && condition.Status == "True");
    }

    [Fact]
    public void A_cancelled_job_is_cancelled_when_its_last_pod_has_ended()
    {
        var job = Two().Running(Before).Cancelled().Build();
        var pod = APod.Of(job, 0).Running().Build();
        var plan = Plan(job, pod);
        (plan.Status!.Phase, plan.Status.Reason).ShouldBe((TrainingJobPhase.Running, "Cancelling"));
        plan.Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>().Pods.ShouldBe([pod]);
        job.Status = plan.Status;
        Plan(job, APod.Of(job, 0).Succeeded().Terminating(Noon).Build()).Status!.Phase.ShouldBe(TrainingJobPhase.Cancelled);
    }

    [Fact]
    public void A_queued_job_is_cancelled_at_once() => Plan(AJob.Named().Phase(TrainingJobPhase.Queued).Cancelled().Build()).Status!.Phase.ShouldBe(TrainingJobPhase.Cancelled);

    [Fact]
    public void A_job_that_has_ended_is_not_cancelled() => Plan(AJob.Named().Phase(TrainingJobPhase.Succeeded).Cancelled().Build()).Status!.Phase.ShouldBe(TrainingJobPhase.Succeeded);

    [Fact]
    public void A_suspended_job_gives_its_nodes_back_and_is_queued_again_later()
    {
        var job = Two().Running(Before).With(job => job.Spec.Suspend = true).Build();
        var plan = Plan(job, APod.Of(job, 0).Running().Build());
        (plan.Status!.Phase, plan.Status.Admission).ShouldBe((TrainingJobPhase.Suspended, null));
        plan.Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>();
        job.Status = plan.Status;
        job.Spec.Suspend = false;
        Plan(job).Status!.Phase.ShouldBe(TrainingJobPhase.Queued);
    }

    [Fact]
    public void The_time_limit_ends_an_attempt_that_runs_longer()
    {
        var job = Two().Running(Before).With(job => job.Spec.TimeLimit = "15m").Build();
        PodView[] pods = [APod.Of(job, 0).Running().Build(), APod.Of(job, 1).Running("n2").Build()];
        Plan(job, pods).RequeueAfter.ShouldBe(TimeSpan.FromMinutes(5));
        job.Spec.TimeLimit = "10m";
        var plan = Plan(job, pods);
        (plan.Status!.Phase, plan.Status.Reason).ShouldBe((TrainingJobPhase.Failed, "TimeLimit"));
        plan.Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>().Pods.Count.ShouldBe(2);
    }

    [Fact]
    public void An_ended_job_is_deleted_when_its_time_has_come()
    {
        var job = AJob.Named().Phase(TrainingJobPhase.Succeeded).With(job =>
        {
            job.Status!.Timeline = new TrainingJobTimeline { FinishedAt = Before.UtcDateTime };
            job.Spec.TtlAfterFinished = "11m";
        }).Build();
        Plan(job).ShouldSatisfyAllConditions(plan => plan.Effects.ShouldBeEmpty(), plan => plan.RequeueAfter.ShouldBe(TimeSpan.FromMinutes(1)));
        job.Spec.TtlAfterFinished = "10m";
        Plan(job).Effects.ShouldBe([new DeleteJob()]);
    }

    [Fact]
    public void A_deleted_job_goes_when_its_last_pod_has_ended()
    {
        var job = Two().Running(Before).Deleted(Noon).Build();
        Plan(job, APod.Of(job).Running().Build()).Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>();
        Plan(job, APod.Of(job).Running().Terminating(Noon).Build()).Effects.ShouldBeEmpty();
        Plan(job, APod.Of(job).Succeeded().Terminating(Noon).Build()).Effects.ShouldBe([new RemoveFinalizer()]);
        Plan(job).Effects.ShouldBe([new RemoveFinalizer()]);
    }

    [Fact]
    public void Logs_of_the_last_attempt_stay_and_older_ones_go()
    {
        var job = AJob.Named().Admitted(3, "n1").Running(Before).Build();
        PodView[] pods = [APod.Of(job, 0, 1).Exited(1).Build(), APod.Of(job, 0, 2).Exited(1).Build(), APod.Of(job, 0, 3).Running().Build()];
        Plan(job, pods).Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>().Pods.ShouldHaveSingleItem().Metadata.Name.ShouldBe("train-0-a1");
    }

    [Fact]
    public void Status_holds_the_first_256_ranks_of_many()
    {
        var job = AJob.Named().Admitted(1, [.. Enumerable.Range(0, 300).Select(rank => $"n{rank}")]).Starting(Before).Build();
        var status = Plan(job, [.. Enumerable.Range(0, 300).Select(rank => APod.Of(job, rank).Running().Build())]).Status.ShouldNotBeNull();
        (status.Nodes!.Ready, status.Nodes.Ranks!.Count).ShouldBe((300, 256));
    }

    private static AJob Two() => AJob.Named().Admitted(1, "n1", "n2");

    private static TrainingJobPlan Plan(TrainingJob job, params PodView[] pods) => TrainingJobPlanner.Plan(new Observed(job, pods), Noon);
}
