using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Slurm;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Tests.Slurm;

public sealed class SlurmAttemptTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_job_goes_from_its_place_over_its_attempt_to_its_slurm_job_one_write_at_a_time()
    {
        var job = OnAlps();
        var queued = Plan(job).Status.ShouldNotBeNull();
        (queued.Phase, queued.Placement!.Slurm!.Cluster, queued.Placement.Index, queued.Attempt).ShouldBe((TrainingJobPhase.Queued, "alps", 0, null));

        job.Status = queued;
        var begun = Plan(job);
        (begun.Status!.Phase, begun.Status.Attempt, begun.Status.Admission!.Attempt).ShouldBe((TrainingJobPhase.Queued, 1, 1));
        begun.Effects.ShouldBeEmpty("what is done before it is written may be done twice");

        job.Status = begun.Status;
        Plan(job).Effects.ShouldBe([new MakeSlurmJob(1)]);
    }

    [Theory]
    [InlineData(null, TrainingJobPhase.Queued, "no Slurm bridge has taken it up for slurm/alps yet")]
    [InlineData(SlurmJobPhase.Pending, TrainingJobPhase.Queued, "being submitted to slurm/alps")]
    [InlineData(SlurmJobPhase.Queued, TrainingJobPhase.Queued, "waiting on slurm/alps")]
    [InlineData(SlurmJobPhase.Starting, TrainingJobPhase.Starting, "2 nodes starting on slurm/alps")]
    [InlineData(SlurmJobPhase.Running, TrainingJobPhase.Running, "2/2 nodes running on slurm/alps")]
    [InlineData(SlurmJobPhase.Suspended, TrainingJobPhase.Running, "suspended by Slurm on slurm/alps")]
    [InlineData(SlurmJobPhase.Terminating, TrainingJobPhase.Queued, "ending on slurm/alps")]
    [InlineData(SlurmJobPhase.Unknown, TrainingJobPhase.Queued, "Slurm gives a state that is not known; nothing is done until it is")]
    [InlineData(SlurmJobPhase.Succeeded, TrainingJobPhase.Succeeded, "all 2 nodes finished")]
    [InlineData(SlurmJobPhase.Cancelled, TrainingJobPhase.Cancelled, "cancelled in Slurm on slurm/alps")]
    public void What_slurm_says_is_what_the_job_says(SlurmJobPhase? seen, TrainingJobPhase phase, string message)
    {
        var status = Plan(Attempted(1), Slurm(1, seen)).Status.ShouldNotBeNull();
        (status.Phase, status.Message).ShouldBe((phase, message));
    }

    [Fact]
    public void A_job_that_waits_says_why_and_until_when()
    {
        var slurm = Slurm(1, SlurmJobPhase.Queued);
        (slurm.Status!.Message, slurm.Status.EstimatedStart, slurm.Status.JobId) = ("Slurm says: Resources", Noon.AddHours(2).UtcDateTime, "812");
        var status = Plan(Attempted(1), slurm).Status.ShouldNotBeNull();
        status.Queue!.Reason.ShouldBe("waiting on slurm/alps: Slurm says: Resources, expected to start at 2026-11-24 14:00 UTC");
        status.Placement!.Slurm!.JobId.ShouldBe("812");
    }

    [Fact]
    public void A_job_that_slurm_would_never_start_says_so_while_it_waits()
    {
        var slurm = Slurm(1, SlurmJobPhase.Queued);
        slurm.Status!.Conditions = [new V1Condition { Type = "CannotStart", Status = "True", Reason = "Refused", Message = "Slurm would not start it: Requested node configuration is not available" }];
        var status = Plan(Attempted(1), slurm).Status.ShouldNotBeNull();
        (status.Phase, status.Reason, status.Message).ShouldBe((TrainingJobPhase.Queued, "CannotStart", "waiting on slurm/alps; Slurm would not start it: Requested node configuration is not available"));
    }

    [Theory]
    [InlineData(true, 5, null, TrainingJobPhase.Queued, "reached its time limit on slurm/alps; goes on from step-400")]
    [InlineData(true, 5, 5, TrainingJobPhase.Failed, "reached its time limit on slurm/alps and left no newer checkpoint to go on from; save in time")]
    [InlineData(true, null, null, TrainingJobPhase.Failed, "reached its time limit on slurm/alps and left no newer checkpoint to go on from; save in time")]
    [InlineData(null, 5, null, TrainingJobPhase.Failed, "reached its time limit on slurm/alps; raise spec.timeLimit, or the partition's limit, to let it run longer")]
    public void A_job_at_its_time_limit_goes_on_only_when_asked_for_and_from_a_newer_checkpoint(bool? asked, int? saved, int? before, TrainingJobPhase phase, string message)
    {
        var job = Attempted(1);
        job.Spec.Recovery = new Recovery { ResumeAtTimeLimit = asked };
        if (before is { } minutes) job.Status!.Checkpoint = new CheckpointStatus { Latest = "step-300", DurableAt = Noon.AddMinutes(minutes).UtcDateTime };
        var slurm = Failed("TimeLimit", exit: 0);
        if (saved is { } at) slurm.Status!.Checkpoint = new CheckpointStatus { Latest = "step-400", DurableAt = Noon.AddMinutes(at).UtcDateTime };
        var status = Plan(job, slurm).Status.ShouldNotBeNull();
        (status.Phase, status.Message, status.Restarts).ShouldBe((phase, message, null), "and it never counts");
    }

    [Fact]
    public void A_rank_that_hung_is_a_failure_of_the_code()
    {
        var slurm = Failed("Hung", exit: 124);
        slurm.Status!.Exit = new TrainingJobExit { Rank = 1, Code = 124, Stage = ExitStage.Run, Message = "rank 1 has not touched its heartbeat file for 60 s" };
        var status = Plan(Attempted(1), slurm).Status.ShouldNotBeNull();
        (status.Phase, status.Reason, status.Exit!.Rank, status.Exit.Code).ShouldBe((TrainingJobPhase.Failed, "Hung", 1, null));
        status.Message!.ShouldContain("rank 1 has not touched its heartbeat file for 60 s, on slurm/alps");
    }

    [Fact]
    public void Lost_contact_is_said_and_ends_nothing()
    {
        var slurm = Slurm(1, SlurmJobPhase.Running);
        slurm.Status!.Conditions = [new V1Condition { Type = "ContactLost", Status = "True", Reason = "Unreachable", Message = "login node alps is out of reach" }];
        var plan = Plan(Attempted(1), slurm);
        (plan.Status!.Phase, plan.Status.Reason).ShouldBe((TrainingJobPhase.Running, "ContactLost"));
        plan.Status.Message!.ShouldEndWith("login node alps is out of reach");
        plan.Effects.ShouldBeEmpty();
    }

    [Fact]
    public void A_lost_node_restarts_the_job_and_counts_nothing()
    {
        var slurm = Failed("NodeFail", exit: null);
        slurm.Status!.Infrastructure = true;
        var status = Plan(Attempted(1), slurm).Status.ShouldNotBeNull();
        (status.Phase, status.Restarts!.Infrastructure, status.Restarts.Counted).ShouldBe((TrainingJobPhase.Restarting, 1, null));
        status.Admission.ShouldBeNull();
    }

    [Theory]
    [InlineData("gpu1", "gpu1")]
    [InlineData("gpu1,gpu2", null)]
    public void A_lost_node_is_avoided_when_it_is_known_which_one_it_was(string nodes, string? avoided)
    {
        var slurm = Failed("NodeFail", exit: null);
        (slurm.Status!.Infrastructure, slurm.Status.Nodes) = (true, [.. nodes.Split(',')]);
        var status = Plan(Attempted(1), slurm).Status.ShouldNotBeNull();
        NodeAvoidance.Of(status).ShouldBe(avoided is null ? [] : [avoided]);
    }

    [Fact]
    public void The_record_of_the_first_failed_rank_is_the_exit_of_the_job()
    {
        var slurm = Failed("Failed", exit: 3);
        slurm.Status!.Exit = new TrainingJobExit { Rank = 1, Code = 3, Stage = ExitStage.Setup, Message = "no such package" };
        var status = Plan(Attempted(1), slurm).Status.ShouldNotBeNull();
        (status.Phase, status.Reason, status.Exit!.Rank, status.Exit.Code, status.Exit.Stage, status.Exit.Message).ShouldBe((TrainingJobPhase.Failed, "SetupFailed", 1, 3, ExitStage.Setup, "no such package"));
        status.Message!.ShouldContain("rank 1 on node gpu2 of slurm/alps ended with exit code 3 in setup");
    }

    [Theory]
    [InlineData("TimeLimit", TrainingJobPhase.Failed)]
    [InlineData("Preempted", TrainingJobPhase.Queued)]
    [InlineData("OutOfMemory", TrainingJobPhase.Failed)]
    [InlineData("RefusedBySlurm", TrainingJobPhase.Failed)]
    public void Ends_that_slurm_names_have_their_own_line(string reason, TrainingJobPhase phase)
    {
        var status = Plan(Attempted(1), Failed(reason == "RefusedBySlurm" ? "Refused" : reason, exit: 0)).Status.ShouldNotBeNull();
        status.Phase.ShouldBe(phase);
        if (phase == TrainingJobPhase.Queued) (status.Restarts!.Preempted, status.Admission).ShouldBe((1, null));
        else status.Reason.ShouldBe(reason);
    }

    [Fact]
    public void Exit_codes_with_a_meaning_have_it_on_slurm_too()
    {
        var job = Attempted(1);
        job.Spec.Recovery = new Recovery { RecoverOnExitCodes = [7] };
        var slurm = Failed("Failed", exit: 7);
        slurm.Status!.Exit = new TrainingJobExit { Rank = 0, Code = 7, Stage = ExitStage.Run };
        var status = Plan(job, slurm).Status.ShouldNotBeNull();
        (status.Phase, status.Restarts!.Recovered, status.Restarts.Counted).ShouldBe((TrainingJobPhase.Restarting, 1, null));
    }

    [Fact]
    public void The_next_attempt_waits_until_slurm_has_let_the_last_one_go()
    {
        var job = Attempted(1);
        (job.Status!.Phase, job.Status.Admission) = (TrainingJobPhase.Restarting, null);
        var waiting = Plan(job, Slurm(1, SlurmJobPhase.Terminating));
        (waiting.Status!.Attempt, waiting.Status.Reason).ShouldBe((1, "WaitingForLastAttempt"));
        waiting.Effects.ShouldHaveSingleItem().ShouldBeOfType<EndSlurmJobs>();
        var next = Plan(job, Slurm(1, SlurmJobPhase.Failed));
        (next.Status!.Phase, next.Status.Attempt).ShouldBe((TrainingJobPhase.Queued, 2));
    }

    [Fact]
    public void A_cancelled_job_ends_when_slurm_has_let_it_go_and_not_before()
    {
        var job = Attempted(1);
        job.Metadata.Annotations = new Dictionary<string, string> { [Api.Launch.Annotations.Cancel] = "true" };
        var ending = Plan(job, Slurm(1, SlurmJobPhase.Running));
        ending.Effects.ShouldHaveSingleItem().ShouldBeOfType<EndSlurmJobs>();
        ending.Status!.Phase.ShouldNotBe(TrainingJobPhase.Cancelled);
        var told = Slurm(1, SlurmJobPhase.Unknown);
        told.Spec.Cancel = true;
        var unknown = Plan(job, told);
        unknown.Effects.ShouldBeEmpty();
        unknown.Status!.Phase.ShouldNotBe(TrainingJobPhase.Cancelled, "what is unknown has not ended");
        Plan(job, Slurm(1, SlurmJobPhase.Cancelled)).Status!.Phase.ShouldBe(TrainingJobPhase.Cancelled);
        (told.Status!.Phase, job.Status!.Phase) = (SlurmJobPhase.Succeeded, TrainingJobPhase.Running);
        Plan(job, told).Status!.Phase.ShouldBe(TrainingJobPhase.Cancelled, "ranks that were told to end may end well all the same");
    }

    [Fact]
    public void A_deleted_job_keeps_its_finalizer_while_slurm_may_run_it()
    {
        var job = Attempted(1);
        job.Metadata.DeletionTimestamp = Noon.UtcDateTime;
        Plan(job, Slurm(1, SlurmJobPhase.Running)).Effects.ShouldHaveSingleItem().ShouldBeOfType<EndSlurmJobs>();
        var told = Slurm(1, SlurmJobPhase.Terminating);
        told.Spec.Cancel = true;
        Plan(job, told).Effects.ShouldBeEmpty();
        Plan(job, Slurm(1, SlurmJobPhase.Cancelled)).Effects.ShouldBe([new RemoveFinalizer()]);
    }

    [Fact]
    public void A_place_that_keeps_a_job_waiting_too_long_is_left_for_the_next_and_the_first_comes_after_the_last()
    {
        var job = OnAlps();
        job.Spec.Placement!.Add(new Placement { Kubernetes = new KubernetesPlacement() });
        job.Spec.PlacementTimeout = "30m";
        job.Status = Plan(job).Status;
        job.Status = Plan(job).Status;
        var slurm = Slurm(1, SlurmJobPhase.Queued);
        Plan(job, slurm).ShouldSatisfyAllConditions(early => early.Status!.Placement!.Index.ShouldBe(0), early => early.RequeueAfter.ShouldBe(TimeSpan.FromMinutes(30)));
        var moved = TrainingJobPlanner.Plan(Seen(job, slurm), Noon.AddMinutes(30));
        (moved.Status!.Placement!.Index, moved.Status.Placement.Slurm, moved.Status.Admission).ShouldBe((1, null, null));
        moved.Status.Message.ShouldBe("waited 30m on slurm/alps; trying kubernetes");
        moved.Effects.ShouldHaveSingleItem().ShouldBeOfType<EndSlurmJobs>();
        job.Status = moved.Status;
        TrainingJobPlanner.Plan(Seen(job), Noon.AddMinutes(60)).Status!.Placement!.Slurm!.Cluster.ShouldBe("alps");
    }

    [Fact]
    public void A_cluster_that_does_not_exist_is_waited_for()
    {
        var job = OnAlps();
        job.Status = Plan(job).Status;
        var status = TrainingJobPlanner.Plan(new Observed(job, []), Noon).Status.ShouldNotBeNull();
        (status.Reason, status.Message, status.Attempt).ShouldBe(("ClusterMissing", "SlurmCluster alps does not exist; create it, or change spec.placement", null));
    }

    [Fact]
    public void A_slurm_job_that_somebody_deleted_is_not_made_again()
    {
        var job = Attempted(1);
        job.Status!.Placement!.Slurm!.JobId = "812";
        var plan = Plan(job);
        plan.Effects.ShouldBeEmpty();
        (plan.Status!.Phase, plan.Status.Reason).ShouldBe((TrainingJobPhase.Restarting, "SlurmJobDeleted"));
    }

    private static TrainingJob OnAlps() => AJob.Named().Nodes(2).With(job => job.Spec.Placement = [new Placement { Slurm = new SlurmPlacement { Cluster = "alps" } }]).Build();

    private static TrainingJob Attempted(int attempt)
    {
        var job = OnAlps();
        job.Status = new TrainingJobStatus
        {
            Phase = TrainingJobPhase.Queued,
            Attempt = attempt,
            Admission = new AdmissionStatus { Attempt = attempt, Size = 2 },
            Placement = new PlacementStatus { Index = 0, Since = Noon.UtcDateTime, Slurm = new SlurmPlacementStatus { Cluster = "alps" } },
        };
        return job;
    }

    private static SlurmJob Slurm(int attempt, SlurmJobPhase? phase) => new()
    {
        Metadata = new V1ObjectMeta { Name = SlurmJobBuilder.Name("train", attempt), Uid = $"slurm-{attempt}" },
        Spec = new SlurmJobSpec { Attempt = attempt, Nodes = 2 },
        Status = phase is null ? null : new SlurmJobStatus { Phase = phase, Nodes = ["gpu1", "gpu2"] },
    };

    private static SlurmJob Failed(string reason, int? exit)
    {
        var slurm = Slurm(1, SlurmJobPhase.Failed);
        (slurm.Status!.Reason, slurm.Status.ExitCode) = (reason, exit);
        return slurm;
    }

    private static TrainingJobPlan Plan(TrainingJob job, params SlurmJob[] slurm) => TrainingJobPlanner.Plan(Seen(job, slurm), Noon);

    private static Observed Seen(TrainingJob job, params SlurmJob[] slurm) => new(job, [])
    {
        SlurmJobs = slurm,
        Clusters = new Dictionary<string, SlurmCluster> { ["alps"] = new() { Metadata = new V1ObjectMeta { Name = "alps" } } },
    };
}
