using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.JobGroups;
using Trestle.Operator.Tests.Builders;
using static Trestle.Api.V1Alpha1.TrainingJobPhase;

namespace Trestle.Operator.Tests.JobGroups;

public sealed class JobGroupPlannerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 30, 0, TimeSpan.Zero);

    [Fact]
    public void The_finalizer_comes_before_anything_else()
    {
        var plan = Plan(TrainEval().With(group => group.Metadata.Finalizers = null).Build());

        plan.AddFinalizer.ShouldBeTrue();
        plan.Create.ShouldBeEmpty();
        plan.Status.ShouldBeNull();
    }

    [Fact]
    public void A_new_group_creates_a_job_for_every_task()
    {
        var plan = Plan(TrainEval().Build());

        plan.Create.Select(task => task.Name).ShouldBe(["train", "eval"]);
        plan.Status!.Phase.ShouldBe(JobGroupPhase.Pending);
        plan.Status.Summary.ShouldBe("0/2");
    }

    [Fact]
    public void A_waiting_group_says_what_its_task_waits_for()
    {
        var group = TrainEval().Build();
        var plan = Plan(group, AGroup.JobOf(group, "train", Queued, "waiting for 16 H100, 8 free"), AGroup.JobOf(group, "eval", Queued));

        plan.Status!.Message.ShouldBe("0/2 tasks running; train: waiting for 16 H100, 8 free");
        plan.Create.ShouldBeEmpty();
    }

    [Fact]
    public void A_group_runs_when_every_task_runs()
    {
        var group = TrainEval().Build();
        var status = Plan(group, AGroup.JobOf(group, "train", Running), AGroup.JobOf(group, "eval", Running)).Status!;

        (status.Phase, status.Message, status.Summary).ShouldBe((JobGroupPhase.Running, "2/2 tasks running", "2/2"));
        status.Tasks!.Select(task => (task.Name, task.Role, task.Ref, task.Phase)).ShouldBe([("train", TaskRole.Primary, "g-train", "Running"), ("eval", TaskRole.Auxiliary, "g-eval", "Running")]);
    }

    [Fact]
    public void The_failure_of_an_auxiliary_does_not_end_the_group()
    {
        var group = TrainEval().Build();
        var plan = Plan(group, AGroup.JobOf(group, "train", Running), AGroup.JobOf(group, "eval", TrainingJobPhase.Failed, "exit code 1"));

        plan.Cancel.ShouldBeEmpty();
        plan.Status!.Phase.ShouldBe(JobGroupPhase.Running);
    }

    [Fact]
    public void Auxiliaries_go_on_for_the_delay_after_all_primaries_succeeded()
    {
        var group = TrainEval().Delay("30s").Build();
        var eval = AGroup.JobOf(group, "eval", Running);
        var first = Plan(group, AGroup.JobOf(group, "train", Succeeded), eval);
        group.Status = first.Status;
        var late = JobGroupPlanner.Plan(new ObservedGroup(group, [AGroup.JobOf(group, "train", Succeeded), eval]), Now.AddSeconds(30));

        first.Cancel.ShouldBeEmpty();
        first.RequeueAfter.ShouldBe(TimeSpan.FromSeconds(30));
        first.Status!.Message.ShouldBe("task train succeeded; waiting for eval to end");
        late.Cancel.ShouldBe([eval]);
    }

    [Fact]
    public void Cancelling_the_group_cuts_the_delay_short_and_does_not_undo_its_success()
    {
        var group = TrainEval().Delay("30s").Cancelled().With(group => group.Status = new JobGroupStatus { PrimariesEndedAt = Now.AddSeconds(-1).UtcDateTime }).Build();
        var eval = AGroup.JobOf(group, "eval", Running);

        Plan(group, AGroup.JobOf(group, "train", Succeeded), eval).Cancel.ShouldBe([eval]);
        Plan(group, AGroup.JobOf(group, "train", Succeeded), AGroup.JobOf(group, "eval", TrainingJobPhase.Cancelled)).Status!.Phase.ShouldBe(JobGroupPhase.Succeeded);
    }

    [Fact]
    public void Auxiliaries_end_at_once_after_a_primary_failed()
    {
        var group = TrainEval().Delay("30s").Build();
        var eval = AGroup.JobOf(group, "eval", Running);
        var plan = Plan(group, AGroup.JobOf(group, "train", TrainingJobPhase.Failed, "rank 1 ended with exit code 3"), eval);

        plan.Cancel.ShouldBe([eval]);
        plan.Status!.Phase.ShouldBe(JobGroupPhase.Terminating);
        plan.Status.Message.ShouldBe("task train failed: rank 1 ended with exit code 3; waiting for eval to end");
    }

    [Fact]
    public void A_failed_primary_fails_the_group_when_the_other_primaries_have_ended()
    {
        var group = AGroup.Named().Task("a").Task("b").Build();

        Plan(group, AGroup.JobOf(group, "a", TrainingJobPhase.Failed, "exit code 1"), AGroup.JobOf(group, "b", Running)).Status!.Phase.ShouldBe(JobGroupPhase.Running);
        var status = Plan(group, AGroup.JobOf(group, "a", TrainingJobPhase.Failed, "exit code 1"), AGroup.JobOf(group, "b", Succeeded)).Status!;
        (status.Phase, status.Reason, status.FinishedAt).ShouldBe((JobGroupPhase.Failed, "PrimaryFailed", Now.UtcDateTime));
    }

    [Fact]
    public void A_group_is_over_when_the_auxiliaries_are()
    {
        var group = TrainEval().Build();
        var status = Plan(group, AGroup.JobOf(group, "train", Succeeded), AGroup.JobOf(group, "eval", TrainingJobPhase.Cancelled)).Status!;

        (status.Phase, status.Message).ShouldBe((JobGroupPhase.Succeeded, "task train succeeded"));
    }

    [Fact]
    public void Cancelling_the_group_cancels_all_its_jobs_and_those_launched_from_it()
    {
        var group = TrainEval().Cancelled().Build();
        var launched = AJob.Named("sweep").With(job => job.Spec.Group = "g").Build();
        var plan = Plan(group, AGroup.JobOf(group, "train", Running), AGroup.JobOf(group, "eval", Running), launched);

        plan.Cancel.Select(job => job.Metadata.Name).ShouldBe(["g-train", "g-eval", "sweep"]);
        plan.Status!.Message.ShouldBe("the group was cancelled; waiting for train, eval, sweep to end");
    }

    [Fact]
    public void A_group_that_is_cancelled_before_it_began_creates_nothing()
    {
        var plan = Plan(TrainEval().Cancelled().Build());

        plan.Create.ShouldBeEmpty();
        plan.Status!.Phase.ShouldBe(JobGroupPhase.Cancelled);
    }

    [Fact]
    public void Launched_jobs_are_listed_and_end_without_delay()
    {
        var group = TrainEval().Delay("30s").Build();
        var launched = AJob.Named("eval-1").Phase(Running).With(job => job.Spec.Group = "g").With(job => job.Metadata.Annotations = new Dictionary<string, string> { [Annotations.LaunchedBy] = "eval" }).Build();
        var plan = Plan(group, AGroup.JobOf(group, "train", Succeeded), AGroup.JobOf(group, "eval", Running), launched);

        plan.Cancel.ShouldBe([launched]);
        plan.Status!.Launched!.Select(job => (job.Name, job.Task, job.Phase)).ShouldBe([("eval-1", "eval", "Running")]);
    }

    [Fact]
    public void A_group_is_not_over_while_a_launched_job_is_ending()
    {
        var group = TrainEval().Build();
        var launched = AJob.Named("eval-1").Phase(Running).Cancelled().With(job => job.Spec.Group = "g").Build();
        var status = Plan(group, AGroup.JobOf(group, "train", Succeeded), AGroup.JobOf(group, "eval", TrainingJobPhase.Cancelled), launched).Status!;

        (status.Phase, status.Message).ShouldBe((JobGroupPhase.Terminating, "task train succeeded; waiting for eval-1 to end"));
    }

    [Fact]
    public void What_joins_after_the_end_is_told_to_end()
    {
        var group = TrainEval().With(group => group.Status = new JobGroupStatus { Phase = JobGroupPhase.Succeeded }).Build();
        var launched = AJob.Named("late").With(job => job.Spec.Group = "g").Build();

        Plan(group, launched).Cancel.ShouldBe([launched]);
    }

    [Fact]
    public void A_job_that_ended_and_was_deleted_is_not_created_again()
    {
        var group = TrainEval().With(group => group.Status = new JobGroupStatus { Tasks = [new JobGroupTaskStatus { Name = "eval", Phase = "Succeeded" }, new JobGroupTaskStatus { Name = "train", Phase = "Running" }] }).Build();
        var plan = Plan(group);

        plan.Create.ShouldBeEmpty();
        plan.Status!.Tasks!.Select(task => task.Phase).ShouldBe(["Cancelled", "Succeeded"]);
    }

    [Fact]
    public void Deleting_a_group_deletes_what_was_launched_from_it_and_lets_go()
    {
        var group = TrainEval().With(group => group.Metadata.DeletionTimestamp = Now.UtcDateTime).Build();
        var launched = AJob.Named("sweep").With(job => job.Spec.Group = "g").Build();
        var plan = Plan(group, AGroup.JobOf(group, "train", Running), launched);

        plan.Delete.ShouldBe([launched]);
        plan.RemoveFinalizer.ShouldBeTrue();
        plan.Status.ShouldBeNull();
    }

    [Fact]
    public void A_delay_that_names_no_task_holds_the_group_until_it_is_corrected()
    {
        var plan = Plan(TrainEval().With(group => group.Spec.TerminationDelay = TerminationDelay.Of([KeyValuePair.Create("rollout", "1m")])).Build());

        plan.Create.ShouldBeEmpty();
        (plan.Status!.Phase, plan.Status.Message).ShouldBe((JobGroupPhase.Pending, "terminationDelay names rollout, which is no task of the group; its tasks are train, eval"));
    }

    [Fact]
    public void A_job_of_somebody_else_under_the_name_of_a_task_holds_the_group()
    {
        var plan = Plan(TrainEval().Build(), AJob.Named("g-train").Build());

        plan.Create.ShouldBeEmpty();
        plan.Status!.Reason.ShouldBe("NameTaken");
    }

    private static AGroup TrainEval() => AGroup.Named().Primary("train").Auxiliary("eval");

    private static GroupPlan Plan(JobGroup group, params TrainingJob[] jobs) => JobGroupPlanner.Plan(new ObservedGroup(group, jobs), Now);
}
