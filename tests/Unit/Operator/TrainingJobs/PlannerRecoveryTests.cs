using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.TrainingJobs;

public sealed class PlannerRecoveryTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Before = Noon.AddMinutes(-10);

    [Fact]
    public void A_rank_that_its_node_turns_away_puts_the_job_back_where_it_stood_in_the_queue()
    {
        var job = Two().Starting(Noon.AddSeconds(-5)).With(job => job.Status!.Timeline = new TrainingJobTimeline { QueuedAt = Before.UtcDateTime }).Build();
        var plan = Plan(job, APod.Of(job, 0).On("n1").Build(), APod.Of(job, 1).Rejected("OutOfnvidia.com/gpu", "Node didn't have enough resource").On("n2").Build());
        var status = plan.Status.ShouldNotBeNull();
        (status.Phase, status.Reason, status.Admission, status.Queue!.QueuedAt).ShouldBe((TrainingJobPhase.Queued, "Requeued", null, Before.UtcDateTime));
        status.Message.ShouldBe("rank 1 was turned away by node n2: Node didn't have enough resource; is queued again in 10s (not counted)");
        (status.Restarts!.Counted, status.Restarts.Infrastructure, status.Retry!.Reason).ShouldBe((null, null, "OutOfnvidia.com/gpu"));
        status.Retry.NotBefore.ShouldBe(Noon.AddSeconds(10).UtcDateTime);
        NodeAvoidance.Of(status).ShouldBe(["n2"]);
        plan.Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>().Pods.ShouldHaveSingleItem().Metadata.Name.ShouldBe("train-0-a1");
        (plan.Event!.Reason, plan.Event.Warning).ShouldBe(("Requeued", true));
    }

    [Fact]
    public void A_node_that_had_one_failure_of_the_user_is_kept_and_one_that_had_two_is_not()
    {
        var job = Two().Restarts(5).Running(Before).Build();
        PodView[] pods = [APod.Of(job, 0).Running().Build(), APod.Of(job, 1).Exited(3, node: "n2").Build()];
        var first = Plan(job, pods).Status.ShouldNotBeNull();
        first.Admission!.Ranks!.Select(rank => rank.Node).ShouldBe(["n1", "n2"]);
        NodeAvoidance.Of(first).ShouldBeEmpty();

        job.Status!.Retry = first.Retry;
        var second = Plan(job, pods).Status.ShouldNotBeNull();
        second.Admission!.Ranks!.Select(rank => rank.Node).ShouldBe(["n1"]);
        NodeAvoidance.Of(second).ShouldBe(["n2"]);
    }

    [Fact]
    public void No_node_is_blamed_when_less_than_half_of_the_ranks_came_up()
    {
        var job = AJob.Named().Admitted(1, "n1", "n2", "n3").Restarts(5).Starting(Before).Build();
        PodView[] pods = [APod.Of(job, 0).Exited(1).Build(), APod.Of(job, 1).On("n2").Build(), APod.Of(job, 2).On("n3").Build()];
        Plan(job, pods).Status!.Retry!.Nodes.ShouldBeNull();
    }

    [Fact]
    public void A_job_that_hangs_restarts_and_counts()
    {
        var job = Hanging().Build();
        var plan = Plan(job, Beats(Minutes(6), Minutes(7)), Both(job));
        var status = plan.Status.ShouldNotBeNull();
        (status.Phase, status.Reason, status.Restarts!.Counted).ShouldBe((TrainingJobPhase.Restarting, "Hung", 1));
        (status.Exit!.Rank, status.Exit.Code).ShouldBe((1, null));
        plan.Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>().Pods.Count.ShouldBe(2);
    }

    [Fact]
    public void A_quiet_rank_goes_on_when_the_rank_that_wrote_has_just_finished()
    {
        var job = Hanging().Build();
        var quiet = Beats(Minutes(0), Minutes(7));
        Plan(job, quiet, Wrote(ago: 1)).ShouldSatisfyAllConditions(
            plan => plan.Status!.Phase.ShouldBe(TrainingJobPhase.Running),
            plan => plan.Effects.ShouldBeEmpty());
        Plan(job, quiet, Wrote(ago: 6)).Status!.Reason.ShouldBe("Hung");

        PodView[] Wrote(int ago) => [APod.Of(job).Succeeded(Noon - Minutes(ago)).Build(), APod.Of(job, 1).Running("n2").Build()];
    }

    [Fact]
    public void A_job_whose_heartbeats_are_not_heard_is_left_alone_and_looked_at_again()
    {
        var job = Hanging().Build();
        Plan(job, Beats(), Both(job)).ShouldSatisfyAllConditions(
            plan => plan.Status!.Phase.ShouldBe(TrainingJobPhase.Running),
            plan => plan.RequeueAfter.ShouldBe(TimeSpan.FromSeconds(30)),
            plan => plan.Effects.ShouldBeEmpty());
    }

    [Fact]
    public void Without_a_timeout_nobody_hangs()
    {
        var job = Two().Running(Before).Build();
        Plan(job, Beats(Minutes(600), Minutes(600)), Both(job)).Status!.Phase.ShouldBe(TrainingJobPhase.Running);
    }

    [Fact]
    public void An_attempt_has_as_many_ranks_as_were_admitted()
    {
        var job = Elastic().Admitted(2, "n1", "n2").Nodes(4).With(job => job.Status!.Admission!.Size = 2).Build();
        Plan(job).Effects.OfType<CreatePods>().ShouldHaveSingleItem().Ranks.ShouldBe([0, 1]);
        job.Status!.Phase = TrainingJobPhase.Starting;
        PodView[] pods = [APod.Of(job, 0, 2).Running().Build(), APod.Of(job, 1, 2).Running("n2").Build()];
        var status = Plan(job, pods).Status.ShouldNotBeNull();
        (status.Phase, status.Message, status.Nodes!.Desired).ShouldBe((TrainingJobPhase.Running, "2/2 nodes running on kubernetes, 4 asked for", 2));
        job.Status = status;
        var ended = Plan(job, APod.Of(job, 0, 2).Succeeded().Build(), APod.Of(job, 1, 2).Succeeded().Build()).Status.ShouldNotBeNull();
        (ended.Phase, ended.Nodes!.Desired).ShouldBe((TrainingJobPhase.Succeeded, 2));
    }

    [Fact]
    public void An_elastic_job_may_shrink_when_it_has_run_and_its_last_pods_have_ended()
    {
        var job = Elastic().Phase(TrainingJobPhase.Queued).Build();
        Plan(job).Status?.Retry.ShouldBeNull("the first start has all nodes");
        Elasticity.SizesOf(job).ShouldBe(new AttemptSizes(4, 4));

        job.Status!.Phase = TrainingJobPhase.Restarting;
        job.Status.Timeline = new TrainingJobTimeline { StartedAt = Before.UtcDateTime };
        var waiting = Plan(job, APod.Of(job).Running().Terminating(Noon.AddSeconds(30)).Build());
        waiting.Status?.Retry?.MinNodes.ShouldBeNull();
        waiting.RequeueAfter.ShouldNotBeNull();

        job.Status = Plan(job, APod.Of(job).Exited(1).Build()).Status.ShouldNotBeNull();
        Elasticity.SizesOf(job).ShouldBe(new AttemptSizes(4, 2));
        Plan(job).Status.ShouldBeNull("it is said once");
    }

    [Fact]
    public void A_job_that_is_not_elastic_always_has_all_its_nodes()
    {
        var job = AJob.Named().Nodes(4).Phase(TrainingJobPhase.Restarting).With(job => job.Status!.Timeline = new TrainingJobTimeline { StartedAt = Before.UtcDateTime }).Build();
        Plan(job).Status?.Retry.ShouldBeNull();
        Elasticity.SizesOf(job).ShouldBe(new AttemptSizes(4, 4));
    }

    private static AJob Two() => AJob.Named().Admitted(1, "n1", "n2");

    private static AJob Hanging() => Two().Restarts(3).Running(Before).With(job => job.Spec.Recovery!.HangTimeout = "5m");

    private static AJob Elastic() => AJob.Named().Nodes(4).With(job => job.Spec.Elastic = new Elastic { MinNodes = 2 });

    private static PodView[] Both(TrainingJob job) => [APod.Of(job, 0).Running().Build(), APod.Of(job, 1).Running("n2").Build()];

    private static TimeSpan Minutes(int minutes) => TimeSpan.FromMinutes(minutes);

    private static Dictionary<int, Heartbeat> Beats(params TimeSpan[] silent) => silent.Index().ToDictionary(beat => beat.Index, beat => new Heartbeat(beat.Item, null, Noon));

    private static TrainingJobPlan Plan(TrainingJob job, params PodView[] pods) => Plan(job, Beats(), pods);

    private static TrainingJobPlan Plan(TrainingJob job, Dictionary<int, Heartbeat> beats, params PodView[] pods) =>
        TrainingJobPlanner.Plan(new Observed(job, pods) { Heartbeats = beats }, Noon);
}
