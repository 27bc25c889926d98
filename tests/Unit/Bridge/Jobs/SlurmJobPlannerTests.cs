using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Slurm;
using Trestle.Runtime;

namespace Trestle.Bridge.Tests.Jobs;

public sealed class SlurmJobPlannerTests
{
    [Fact]
    public void Nothing_is_sent_before_the_finalizer_is_there()
    {
        new AScene().New().Plan().Effect.ShouldBe(JobEffect.AddFinalizer);
        new AScene().Plan().Effect.ShouldBe(JobEffect.Submit);
        new AScene().InFlight().Plan().Effect.ShouldBe(JobEffect.None);
    }

    [Fact]
    public void What_is_refused_fails_with_the_sentence_and_gets_no_finalizer()
    {
        var plan = new AScene().New().Refused("no").Plan();
        (plan.Effect, plan.Status!.Phase, plan.Status.Message).ShouldBe((JobEffect.None, SlurmJobPhase.Failed, "no"));
    }

    [Fact]
    public void What_may_have_been_sent_does_not_fail_because_it_is_refused_now()
    {
        var plan = new AScene().Refused("no").Plan();
        (plan.Effect, plan.Status!.Phase, plan.Status.Message).ShouldBe((JobEffect.None, SlurmJobPhase.Pending, "no"));
    }

    [Fact]
    public void A_cancelled_job_that_was_never_sent_ends_at_once_and_one_that_may_have_been_is_closed()
    {
        new AScene().New().Cancelled().Plan().Status!.Phase.ShouldBe(SlurmJobPhase.Cancelled);
        new AScene().Cancelled().Plan().Effect.ShouldBe(JobEffect.Close);
        new AScene().Cancelled().Heard(new NeverSubmitted()).Plan().Status!.Phase.ShouldBe(SlurmJobPhase.Cancelled);
        new AScene().Cancelled().Heard(new Submitted("7")).Plan().Status!.ShouldSatisfyAllConditions(
            status => status.JobId.ShouldBe("7"),
            status => status.Phase.ShouldBe(SlurmJobPhase.Queued));
        new AScene().Cancelled().Heard(new InDoubt(1, true)).Plan().Status!.Phase.ShouldBe(SlurmJobPhase.Pending);
    }

    [Theory]
    [InlineData("sbatch: error: Batch job submission failed: Socket timed out", "InDoubt")]
    [InlineData("sbatch: error: Batch job submission failed: Job violates accounting/QOS policy", "Busy")]
    public void An_error_that_does_not_refuse_the_job_lets_it_wait(string text, string reason)
    {
        var plan = new AScene().Heard(new SbatchFailed(1, true, text)).Plan();
        (plan.Status!.Phase, plan.Status.Reason, plan.Effect).ShouldBe((SlurmJobPhase.Pending, reason, JobEffect.None));
        plan.Again.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("PENDING", SlurmJobPhase.Queued)]
    [InlineData("CONFIGURING", SlurmJobPhase.Starting)]
    [InlineData("RUNNING", SlurmJobPhase.Running)]
    [InlineData("SUSPENDED", SlurmJobPhase.Suspended)]
    [InlineData("COMPLETING", SlurmJobPhase.Terminating)]
    [InlineData("REVOKED", SlurmJobPhase.Unknown)]
    [InlineData("NEVER_SEEN", SlurmJobPhase.Unknown)]
    public void A_state_that_is_no_end_is_reported_and_nothing_is_done(string state, SlurmJobPhase phase)
    {
        var plan = new AScene().Is(SlurmJobPhase.Queued).SlurmSays(state).Plan();
        (plan.Status!.Phase, plan.Effect).ShouldBe((phase, JobEffect.None));
        plan.Status.FinishedAt.ShouldBeNull();
    }

    [Theory]
    [InlineData("COMPLETING")]
    [InlineData("NEVER_SEEN")]
    [InlineData("REVOKED")]
    public void Even_a_cancelled_job_is_left_alone_in_a_state_that_ends_or_is_unknown(string state) =>
        new AScene().Is(SlurmJobPhase.Running).Cancelled().Deleted().SlurmSays(state).Plan().Effect.ShouldBe(JobEffect.None);

    [Fact]
    public void A_running_job_gets_TERM_then_its_grace_then_the_end_again_and_again()
    {
        var first = new AScene().Is(SlurmJobPhase.Running).Cancelled(grace: 60).SlurmSays("RUNNING").Plan();
        (first.Effect, first.Again).ShouldBe((JobEffect.TermSteps, TimeSpan.FromSeconds(60)));
        AScene Then() => new AScene().After(first.Status!).Cancelled(grace: 60).SlurmSays("RUNNING");
        Then().Plan(TimeSpan.FromSeconds(20)).ShouldSatisfyAllConditions(plan => plan.Effect.ShouldBe(JobEffect.None), plan => plan.Again.ShouldBe(TimeSpan.FromSeconds(40)));
        Then().Plan(TimeSpan.FromSeconds(61)).Effect.ShouldBe(JobEffect.Cancel);
        Then().LastCancelled(TimeSpan.FromSeconds(-58)).Plan(TimeSpan.FromSeconds(61)).Effect.ShouldBe(JobEffect.None);
        Then().LastCancelled(TimeSpan.Zero).Plan(TimeSpan.FromSeconds(61)).Effect.ShouldBe(JobEffect.Cancel);
    }

    [Theory]
    [InlineData("PENDING")]
    [InlineData("CONFIGURING")]
    [InlineData("SUSPENDED")]
    public void A_job_that_can_not_hear_TERM_is_ended_at_once(string state) => new AScene().Is(SlurmJobPhase.Queued).Deleted().SlurmSays(state).Plan().Effect.ShouldBe(JobEffect.Cancel);

    [Fact]
    public void Slurm_is_asked_when_it_would_start_a_job_that_its_scheduler_did_not_come_to()
    {
        AScene Waiting(string reason = "Resources") => new AScene().After(new SlurmJobStatus { Phase = SlurmJobPhase.Queued, JobId = "7", SubmittedAt = AScene.Now.UtcDateTime }).SlurmSays("PENDING", reason, start: default(DateTimeOffset));
        Waiting().Plan(TimeSpan.FromSeconds(9)).ShouldSatisfyAllConditions(plan => plan.Effect.ShouldBe(JobEffect.None), plan => plan.Again.ShouldBe(TimeSpan.FromSeconds(1)));
        Waiting().Plan(SlurmJobPlanner.UntilPreflight).Effect.ShouldBe(JobEffect.Preflight);
        Waiting("JobHeldUser").Plan(TimeSpan.FromHours(1)).Effect.ShouldBe(JobEffect.None);
        Waiting().Cancelled().Plan(TimeSpan.FromHours(1)).Effect.ShouldBe(JobEffect.Cancel);

        var start = AScene.Now.AddHours(3);
        var estimated = Waiting().AskedForAStart(TimeSpan.FromSeconds(1), new StartEstimate(start, "gpu[1-2]", null)).Plan(TimeSpan.FromMinutes(1));
        (estimated.Status!.EstimatedStart, estimated.Effect).ShouldBe((start.UtcDateTime, JobEffect.None));
        var refused = Waiting().AskedForAStart(TimeSpan.FromSeconds(1), new StartEstimate(null, "", "Requested node configuration is not available")).Plan(TimeSpan.FromMinutes(1));
        refused.Status!.Phase.ShouldBe(SlurmJobPhase.Queued, "it is Slurm's to say when a job has failed");
        refused.Status.Conditions!.Single(condition => condition.Type == "CannotStart").ShouldSatisfyAllConditions(
            condition => condition.Status.ShouldBe("True"),
            condition => condition.Message.ShouldBe("Slurm would not start it: Requested node configuration is not available"));
        new AScene().After(refused.Status).SlurmSays("RUNNING").Plan().Status!.Conditions!.Single(condition => condition.Type == "CannotStart").Status.ShouldBe("False");
        Waiting().AskedForAStart(SlurmJobPlanner.BetweenPreflights, null).Plan().Effect.ShouldBe(JobEffect.Preflight);
    }

    [Theory]
    [InlineData(-15)]
    [InlineData(15)]
    public void A_cluster_whose_clock_is_minutes_apart_ends_nothing_early_and_nothing_late(int minutes)
    {
        var there = AScene.Now.AddMinutes(minutes);
        var running = new AScene().Is(SlurmJobPhase.Queued).SlurmSays("RUNNING", start: there).Plan().Status!;
        (running.Phase, running.StartedAt).ShouldBe((SlurmJobPhase.Running, there.UtcDateTime));
        var told = new AScene().After(running).Cancelled(grace: 60).SlurmSays("RUNNING", start: there).Plan();
        told.Effect.ShouldBe(JobEffect.TermSteps);
        AScene Then() => new AScene().After(told.Status!).Cancelled(grace: 60).SlurmSays("RUNNING", start: there);
        Then().Plan(TimeSpan.FromSeconds(59)).Effect.ShouldBe(JobEffect.None);
        Then().Plan(TimeSpan.FromSeconds(60)).Effect.ShouldBe(JobEffect.Cancel);
        new AScene().After(running).SlurmSays("COMPLETED", start: there, exit: new ExitStatus(0, 0)).Plan().Status!.Phase.ShouldBe(SlurmJobPhase.Succeeded);
    }

    [Theory]
    [InlineData(-60)]
    [InlineData(60)]
    public void A_clock_that_is_set_makes_no_wait_longer_or_shorter(int minutes)
    {
        var set = TimeSpan.FromMinutes(minutes);
        var told = new AScene().Is(SlurmJobPhase.Running).Cancelled(grace: 60).SlurmSays("RUNNING").Plan().Status!;
        AScene Ending() => new AScene().After(told).Cancelled(grace: 60).SlurmSays("RUNNING").ClockSet(set);
        Ending().Plan(TimeSpan.FromSeconds(59)).Effect.ShouldBe(JobEffect.None);
        Ending().Plan(TimeSpan.FromSeconds(61)).Effect.ShouldBe(JobEffect.Cancel);
        AScene Waiting() => new AScene().Is(SlurmJobPhase.Queued).SlurmSays("PENDING", "Resources", start: default(DateTimeOffset)).ClockSet(set);
        Waiting().Plan(TimeSpan.FromSeconds(9)).Effect.ShouldBe(JobEffect.None);
        Waiting().Plan(SlurmJobPlanner.UntilPreflight).Effect.ShouldBe(JobEffect.Preflight);
        AScene Silent() => new AScene().Heard(new NotHeard("x")).ClockSet(set);
        Silent().Plan(TimeSpan.FromSeconds(4)).Effect.ShouldBe(JobEffect.None);
        Silent().Plan(TimeSpan.FromSeconds(5)).Effect.ShouldBe(JobEffect.Submit);
        AScene Gone() => new AScene().Is(SlurmJobPhase.Queued).Deleted().Sees(new Missing(AScene.Steady, 3, true)).ClockSet(set);
        Gone().Plan(TimeSpan.FromSeconds(119)).Effect.ShouldBe(JobEffect.None);
        Gone().Plan(TimeSpan.FromSeconds(121)).Effect.ShouldBe(JobEffect.Clean);
    }

    [Fact]
    public void What_an_earlier_process_wrote_down_counts_and_never_lies_ahead()
    {
        var now = new Moment(AScene.Now, AScene.Steady);
        now.Then(AScene.Now.AddSeconds(-20)).ShouldBe(AScene.Steady - TimeSpan.FromSeconds(20));
        now.Then(AScene.Now.AddHours(1)).ShouldBe(AScene.Steady);
    }

    [Fact]
    public void A_deleted_job_is_cleaned_when_Slurm_says_that_it_ended()
    {
        new AScene().Is(SlurmJobPhase.Running).Deleted().SlurmSays("CANCELLED").Plan().Effect.ShouldBe(JobEffect.Clean);
        new AScene().Is(SlurmJobPhase.Succeeded).Deleted().Plan().Effect.ShouldBe(JobEffect.Clean);
        new AScene().Is(SlurmJobPhase.Running).SlurmSays("CANCELLED").Plan().Effect.ShouldBe(JobEffect.None);
    }

    [Fact]
    public void Whatever_is_not_an_answer_of_Slurm_ends_cleans_and_sends_nothing()
    {
        var sightings = Among<Sighting?>(null, new OutOfSight("gone"), new Missing(AScene.Steady, 9, false), new Missing(AScene.Steady, 9, true), new Missing(AScene.Steady - TimeSpan.FromDays(1), 9, false));
        var phases = Among(SlurmJobPhase.Queued, SlurmJobPhase.Starting, SlurmJobPhase.Running, SlurmJobPhase.Suspended, SlurmJobPhase.Terminating, SlurmJobPhase.Unknown);
        Gen.Select(sightings, phases, Gen.Bool, Gen.Bool).Sample((sighting, phase, deleted, cancelled) =>
        {
            var scene = new AScene().Is(phase);
            if (sighting is not null) scene.Sees(sighting);
            if (deleted) scene.Deleted();
            if (cancelled) scene.Cancelled();
            var plan = scene.Plan();
            return plan.Effect == JobEffect.None && (plan.Status is null || plan.Status.Phase == phase);
        });
    }

    private static Gen<T> Among<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    [Fact]
    public void Lost_contact_is_a_condition_and_a_phase_that_was_never_known_is_unknown()
    {
        var plan = new AScene().After(new SlurmJobStatus { JobId = "7" }).Sees(new OutOfSight("no route")).Plan();
        (plan.Status!.Phase, Conditions.IsTrue(plan.Status.Conditions, "ContactLost")).ShouldBe((SlurmJobPhase.Unknown, true));
        var back = new AScene().After(plan.Status).SlurmSays("RUNNING").Plan();
        (back.Status!.Phase, Conditions.IsTrue(back.Status.Conditions, "ContactLost")).ShouldBe((SlurmJobPhase.Running, false));
    }

    [Fact]
    public void A_job_that_is_to_end_and_that_Slurm_does_not_know_for_two_minutes_is_gone()
    {
        new AScene().Is(SlurmJobPhase.Queued).Deleted().Sees(new Missing(AScene.Steady - TimeSpan.FromSeconds(121), 3, true)).Plan().Effect.ShouldBe(JobEffect.Clean);
        new AScene().Is(SlurmJobPhase.Queued).Deleted().Sees(new Missing(AScene.Steady - TimeSpan.FromSeconds(119), 3, true)).Plan().Effect.ShouldBe(JobEffect.None);
        new AScene().Is(SlurmJobPhase.Queued).Sees(new Missing(AScene.Steady - TimeSpan.FromDays(1), 99, true)).Plan().Status!.Phase.ShouldBe(SlurmJobPhase.Queued);
    }

    [Fact]
    public void An_end_that_the_cluster_made_is_marked_and_the_code_of_one_that_the_job_made_is_told()
    {
        var lost = new AScene().Is(SlurmJobPhase.Running).SlurmSays("NODE_FAIL", exit: new ExitStatus(0, 0)).Plan().Status!;
        (lost.Phase, lost.Reason, lost.Infrastructure).ShouldBe((SlurmJobPhase.Failed, "NodeFail", true));
        var own = new AScene().Is(SlurmJobPhase.Running).SlurmSays("FAILED", "NonZeroExitCode", new ExitStatus(3, 0)).Plan().Status!;
        (own.ExitCode, own.Signal, own.Infrastructure, own.Message).ShouldBe((3, null, null, "the job ended with exit code 3"));
        new AScene().Is(SlurmJobPhase.Running).SlurmSays("FAILED", exit: new ExitStatus(0, 53)).Plan().Status!.Message!.ShouldStartWith("Slurm could not set the job up");
    }

    [Fact]
    public void A_requeue_under_the_same_id_is_counted_and_waits_again()
    {
        var running = new AScene().Is(SlurmJobPhase.Queued).SlurmSays("RUNNING").Plan().Status!;
        running.StartedAt.ShouldNotBeNull();
        var again = new AScene().After(running).SlurmSays("PENDING", "BeginTime", start: AScene.Now.AddMinutes(10), restarts: 1).Plan().Status!;
        (again.Phase, again.RestartCount, again.StartedAt, again.EstimatedStart).ShouldBe((SlurmJobPhase.Queued, 1, null, AScene.Now.AddMinutes(10).UtcDateTime));
        new AScene().After(again).SlurmSays("PENDING", "BeginTime", start: AScene.Now.AddMinutes(12), restarts: 1).Plan().Status.ShouldBeNull("an estimate that moves a little is no change");
    }

    [Fact]
    public void The_same_answer_twice_is_written_once()
    {
        var status = new AScene().Is(SlurmJobPhase.Queued).SlurmSays("RUNNING").Plan().Status!;
        new AScene().After(status).SlurmSays("RUNNING").Plan(TimeSpan.FromSeconds(10)).Status.ShouldBeNull();
    }

    [Fact]
    public void A_reason_that_people_wrote_is_one_word_and_one_printable_line()
    {
        var status = new AScene().Is(SlurmJobPhase.Running).SlurmSays("PENDING", "ReqNodeNotAvail, UnavailableNodes:gpu4\u001b[31m").Plan().Status!;
        status.Reason.ShouldBe("ReqNodeNotAvail");
        status.Message.ShouldBe("Slurm says: ReqNodeNotAvail, UnavailableNodes:gpu4 [31m");
        new AScene().Is(SlurmJobPhase.Running).SlurmSays("PENDING", "Nodes required for job are DOWN").Plan().Status!.Reason.ShouldBe("Waiting");
    }
}
