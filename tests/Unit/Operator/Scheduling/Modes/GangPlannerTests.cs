using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Scheduling.Modes.Gangs;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using static Trestle.Api.V1Alpha1.TrainingJobPhase;

namespace Trestle.Operator.Tests.Scheduling.Modes;

public sealed class GangPlannerTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private const string Unschedulable = "0/1 placements are available, first placement status: pod group is unschedulable, No preemption victims found for incoming preemptor";

    [Fact]
    public void A_queued_job_begins_at_once_and_stays_queued_until_it_is_placed()
    {
        var status = Plan(Job(Queued)).Status.ShouldNotBeNull();
        (status.Phase, status.Reason, status.Attempt, status.Admission!.Size, status.Admission.Ranks).ShouldBe((Queued, "WaitingForScheduler", 1, 3, null));
        status.Message.ShouldBe("waiting for kube-scheduler to place 3 nodes as one gang");
        status.HasAttempt().ShouldBeTrue();
    }

    [Theory]
    [InlineData("05-podgroup-unschedulable.yaml", Unschedulable)]
    [InlineData("09-podgroup-scheduled.yaml", null)]
    [InlineData("03-podgroup-after.yaml", null)]
    public void What_the_scheduler_says_of_the_group_is_told(string file, string? words)
    {
        var job = Attempt();
        var told = Plan(job, Recorded(job, file, 1)).Status;
        told?.Queue!.Reason.ShouldBe(words);
        (told is null).ShouldBe(words is null);
        if (told is null) return;
        job.Status = told;
        Plan(job, Recorded(job, file, 1)).Status.ShouldBeNull();
        var pods = Enumerable.Range(0, 3).Select(rank => APod.Of(job, rank).Build()).ToList();
        var shown = TrainingJobPlanner.Plan(new Observed(job, pods), Noon).Status.ShouldNotBeNull();
        (shown.Phase, shown.Message).ShouldBe((Queued, $"waiting for kube-scheduler to place 3 nodes as one gang: {words}"));
    }

    [Fact]
    public void The_condition_has_another_name_in_kubernetes_1_37()
    {
        var group = new PodGroupV1Beta1 { Status = new GroupStatusView { Conditions = [new GroupConditionView { Type = "PodGroupInitiallyScheduled", Status = "False", Reason = "Unschedulable", Message = "no room" }] } };
        ((IPodGroup)group).Words.ShouldBe("no room");
    }

    [Fact]
    public void Volcano_says_what_it_lacks()
    {
        var group = new VolcanoPodGroup { Status = new GroupStatusView { Conditions = [new GroupConditionView { Type = "Unschedulable", Status = "True", Reason = "NotEnoughResources", Message = "1/2 tasks in gang unschedulable" }] } };
        ((IPodGroup)group).Words.ShouldBe("1/2 tasks in gang unschedulable");
    }

    [Fact]
    public void Groups_of_attempts_that_are_over_are_deleted_and_later_ones_left()
    {
        var job = Attempt(2);
        PodGroupV1Alpha2[] groups = [.. Enumerable.Range(1, 3).Select(attempt => Recorded(job, "03-podgroup-after.yaml", attempt))];
        Deleted(Plan(job, groups)).ShouldBe(["train-a1"]);
        job.Status!.Phase = Restarting;
        Deleted(Plan(job, groups)).ShouldBe(["train-a1", "train-a2"]);
        job.Status.Phase = Succeeded;
        Deleted(Plan(job, groups)).ShouldBe(["train-a1", "train-a2"]);
    }

    [Fact]
    public void A_restart_waits_out_its_pause_and_makes_another_attempt()
    {
        var job = Job(Restarting);
        (job.Status!.Attempt, job.Status.Retry) = (1, new RetryStatus { NotBefore = Noon.AddSeconds(5).UtcDateTime });
        Plan(job).ShouldSatisfyAllConditions(plan => plan.Status.ShouldBeNull(), plan => plan.RequeueAfter.ShouldBe(TimeSpan.FromSeconds(5)));
        job.Status.Retry.NotBefore = Noon.UtcDateTime;
        Plan(job).Status!.Attempt.ShouldBe(2);
    }

    [Fact]
    public void Nobody_admits_what_shall_end_or_pause()
    {
        Plan(AJob.Named().Phase(Queued).Cancelled().Build()).ShouldSatisfyAllConditions(plan => plan.Status.ShouldBeNull());
        Plan(AJob.Named().Phase(Queued).With(job => job.Spec.Suspend = true).Build()).Status.ShouldBeNull();
        Plan(AJob.Named().Phase(Queued).Deleted(Noon).Build()).Status.ShouldBeNull();
    }

    [Fact]
    public void Gated_pods_are_let_go_without_a_node_and_wait_as_long_as_it_takes()
    {
        var job = Attempt();
        var gated = Enumerable.Range(0, 3).Select(rank => APod.Of(job, rank).Gated().Build()).ToList();
        TrainingJobPlanner.Plan(new Observed(job, gated[..2]), Noon).Effects.ShouldNotContain(effect => effect is Release);
        TrainingJobPlanner.Plan(new Observed(job, gated), Noon).Effects.OfType<Release>().ShouldHaveSingleItem().Pods.Select(pinned => pinned.Node).ShouldBe([null, null, null]);
        var open = Enumerable.Range(0, 3).Select(rank => APod.Of(job, rank).Build()).ToList();
        var plan = TrainingJobPlanner.Plan(new Observed(job, open), Noon.AddDays(3));
        (plan.Status!.Phase, plan.Status.Reason, plan.RequeueAfter).ShouldBe((Queued, "WaitingForScheduler", null));
    }

    [Fact]
    public void Bound_pods_start_and_from_then_on_a_node_that_does_nothing_is_noticed()
    {
        var job = Attempt();
        var bound = Enumerable.Range(0, 3).Select(rank => APod.Of(job, rank).On($"n{rank}").Build()).ToList();
        job.Status = TrainingJobPlanner.Plan(new Observed(job, bound), Noon).Status.ShouldNotBeNull();
        (job.Status.Phase, job.Status.Timeline!.AdmittedAt).ShouldBe((Starting, Noon.UtcDateTime));
        var late = TrainingJobPlanner.Plan(new Observed(job, bound), Noon.AddSeconds(61)).Status.ShouldNotBeNull();
        (late.Phase, late.Reason).ShouldBe((Queued, "Requeued"));
        late.Message!.ShouldContain("rank 0 was not started by node n0");
    }

    [Fact]
    public void A_gate_of_somebody_else_is_left_to_him()
    {
        var job = Attempt();
        var held = Enumerable.Range(0, 3).Select(rank => APod.Of(job, rank).With(pod => pod.Spec.SchedulingGates = [new PodSchedulingGateView { Name = "kueue.x-k8s.io/topology" }]).Build()).ToList();
        TrainingJobPlanner.Plan(new Observed(job, held), Noon).Effects.ShouldBeEmpty();
    }

    private static IEnumerable<string> Deleted(ModePlan plan) => plan.Changes.Cast<DeleteObject<PodGroupV1Alpha2>>().Select(change => change.Key.Name);

    private static TrainingJob Job(TrainingJobPhase phase) => AJob.Named().Nodes(3).Phase(phase).With(job => job.Status!.SchedulingMode = SchedulingMode.Native).Build();

    private static TrainingJob Attempt(int attempt = 1)
    {
        var job = Job(Queued);
        (job.Status!.Attempt, job.Status.Admission) = (attempt, new AdmissionStatus { Attempt = attempt, Size = 3 });
        return job;
    }

    private static PodGroupV1Alpha2 Recorded(TrainingJob job, string file, int attempt)
    {
        var group = Samples.Read<PodGroupV1Alpha2>("native-gang", file);
        group.Metadata = GangNames.Metadata(job, attempt);
        group.Metadata.Uid = $"group-{attempt}";
        return group;
    }

    private static ModePlan Plan(TrainingJob job, params PodGroupV1Alpha2[] groups) => GangPlanner.Plan(new Observed(job, []), groups, PlacedElsewhere.Placer(job), Noon);
}
