using System.Text.Json.Nodes;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Scheduling.Modes.Kueue;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;
using static Trestle.Api.V1Alpha1.TrainingJobPhase;

namespace Trestle.Operator.Tests.Scheduling.Modes;

/// <summary>Every state that a Workload was in on a real Kueue, and what follows from it for its job.</summary>
public sealed class KueuePlannerTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 17, 6, 47, TimeSpan.Zero);

    [Fact]
    public void A_queued_job_gets_its_workload() =>
        Plan(Queued(), null).Changes.ShouldHaveSingleItem().ShouldBeOfType<CreateObject<KueueWorkload>>();

    [Theory]
    [InlineData("04-second-waits-for-quota.yaml", "WaitingForQuota", "8 more needed")]
    [InlineData("08-high-waits-for-eviction.yaml", "WaitingForPreemptedWorkloads", "Pending the preemption of 1 workload(s)")]
    [InlineData("10-low-requeued.yaml", "WaitingForQuota", "16 more needed")]
    [InlineData("14-second.yaml", "WaitingForQuota", "8 more needed")]
    [InlineData("17-low-deactivated-and-released.yaml", "Deactivated", "set its spec.active to true")]
    [InlineData("19-low-reactivated.yaml", "WaitingForQuota", "8 more needed")]
    public void A_job_that_waits_says_what_kueue_says(string file, string reason, string part)
    {
        var job = Queued();
        var plan = Plan(job, file);
        var status = plan.Status.ShouldNotBeNull();
        (status.Phase, status.Reason).ShouldBe((TrainingJobPhase.Queued, reason));
        status.Message!.ShouldContain(part);
        status.Queue!.Reason.ShouldBe(status.Message);
        plan.Changes.ShouldBeEmpty();
        job.Status = status;
        Plan(job, file).Status.ShouldBeNull("it says so already");
    }

    [Theory]
    [InlineData("03-low-admitted.yaml")]
    [InlineData("11-high-admitted.yaml")]
    [InlineData("13-low-admitted-again.yaml")]
    [InlineData("18-second-admitted.yaml")]
    public void An_admitted_job_starts_its_next_attempt(string file)
    {
        var plan = Plan(Queued(attempt: 2), file);
        var status = plan.Status.ShouldNotBeNull();
        (status.Phase, status.Attempt, status.Admission!.Attempt, status.Admission.Size, status.Admission.Ranks).ShouldBe((Admitted, 3, 3, 2, null));
        status.Message.ShouldBe("quota reserved in ClusterQueue cq");
        status.Timeline!.AdmittedAt.ShouldBe(Now.UtcDateTime);
        plan.Event.ShouldBe(new PhaseEvent(false, "Admitted", "attempt 3: quota reserved in ClusterQueue cq"));
    }

    [Fact]
    public void A_flavor_that_is_not_there_is_waited_for()
    {
        var plan = KueuePlanner.Plan(new Observed(Queued(), []), Workload("03-low-admitted.yaml"), Make, "h100", Now);
        plan.Status!.Message!.ShouldContain("ResourceFlavor h100");
        plan.RequeueAfter.ShouldNotBeNull();
    }

    [Fact]
    public void Kueue_is_told_when_all_ranks_run_and_once()
    {
        var told = Applied("03-low-admitted.yaml", Plan(AttemptOf(Running), "03-low-admitted.yaml"));
        var recorded = Samples.Json("kueue", "05-low-pods-ready.yaml");
        told["status"]!["admission"]!.ToJsonString().ShouldBe(recorded["status"]!["admission"]!.ToJsonString());
        Conditions(told, times: false).ShouldBe(Conditions(recorded, times: false));
        Plan(AttemptOf(Running), "05-low-pods-ready.yaml").ShouldBe(ModePlan.Nothing);
        Plan(AttemptOf(Starting), "03-low-admitted.yaml").ShouldBe(ModePlan.Nothing);
    }

    [Fact]
    public void A_restart_keeps_the_admission_and_kueue_is_told_that_ranks_are_missing()
    {
        var told = Applied("05-low-pods-ready.yaml", Plan(AttemptOf(Starting), "05-low-pods-ready.yaml"));
        told["status"]!["admission"].ShouldNotBeNull();
        Conditions(told, times: false).ShouldContain("PodsReady=False WaitForRecovery");
        Plan(Queued(attempt: 1, Restarting), "05-low-pods-ready.yaml").Status!.Phase.ShouldBe(Admitted);
    }

    [Fact]
    public void A_restart_waits_out_its_pause()
    {
        var job = Queued(attempt: 1, Restarting);
        job.Status!.Retry = new RetryStatus { NotBefore = Now.AddSeconds(10).UtcDateTime };
        var plan = Plan(job, "05-low-pods-ready.yaml");
        (plan.Status, plan.RequeueAfter).ShouldBe((null, TimeSpan.FromSeconds(10)));
    }

    [Theory]
    [InlineData("07-low-evicted-by-preemption.yaml", "Preempted", "due to prioritization in the ClusterQueue")]
    [InlineData("16-low-deactivated.yaml", "Deactivated", "The workload is deactivated")]
    public void An_evicted_job_gives_way(string file, string reason, string part)
    {
        foreach (var phase in (TrainingJobPhase[])[Admitted, Starting, Running])
        {
            var plan = Plan(AttemptOf(phase), file);
            (plan.Status!.Phase, plan.Status.Reason).ShouldBe((Preempting, reason));
            plan.Status.Message!.ShouldContain(part);
            plan.Changes.ShouldBeEmpty("the quota is given back when the pods have ended");
        }
    }

    [Fact]
    public void A_job_whose_workload_is_gone_gives_way() => Plan(AttemptOf(Running), null).Status!.Reason.ShouldBe("WorkloadDeleted");

    [Fact]
    public void Quota_is_given_back_in_one_write_when_the_pods_are_gone()
    {
        var job = Queued(attempt: 1);
        var running = APod.Of(job).Running().Build();
        KueuePlanner.Plan(new Observed(job, [running]), Workload("07-low-evicted-by-preemption.yaml"), Make, null, Now).Changes.ShouldBeEmpty();
        var plan = Plan(job, "07-low-evicted-by-preemption.yaml");
        var written = Applied("07-low-evicted-by-preemption.yaml", plan);
        var recorded = Samples.Json("kueue", "09-our-one-status-write-after-the-pods-are-gone.json");
        written["status"]!.AsObject().ContainsKey("admission").ShouldBeFalse();
        Conditions(written).ShouldBe(Conditions(recorded), ignoreOrder: true);
        written["status"]!["schedulingStats"]!.ToJsonString().ShouldBe(recorded["status"]!["schedulingStats"]!.ToJsonString());
    }

    [Fact]
    public void After_another_eviction_kueue_says_when_it_queues_again()
    {
        var written = Applied("16-low-deactivated.yaml", Plan(Queued(attempt: 1), "16-low-deactivated.yaml"));
        Conditions(written, times: false).ShouldContain("Requeued=False Deactivated");
        Conditions(written, times: false).ShouldContain("QuotaReserved=False Pending");
    }

    [Fact]
    public void A_node_that_was_lost_does_not_keep_the_quota()
    {
        var job = Queued(attempt: 1);
        var stuck = APod.Of(job).Running("n1").Terminating(Now.AddMinutes(-1)).Build();
        var seen = new Observed(job, [stuck]) { LostNodes = new HashSet<string> { "n1" } };
        KueuePlanner.Plan(seen, Workload("07-low-evicted-by-preemption.yaml"), Make, null, Now).Changes.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(Succeeded, "Finished=True Succeeded")]
    [InlineData(Failed, "Finished=True Failed")]
    [InlineData(Cancelled, "Finished=True Failed")]
    public void Kueue_is_told_of_the_end(TrainingJobPhase phase, string condition)
    {
        Conditions(Applied("05-low-pods-ready.yaml", Plan(AttemptOf(phase), "05-low-pods-ready.yaml")), times: false).ShouldContain(condition);
        Plan(AttemptOf(phase), "12-high-finished.yaml").ShouldBe(ModePlan.Nothing);
    }

    [Fact]
    public void A_suspended_job_takes_its_workload_back() =>
        Plan(Queued(attempt: 1, Suspended), "03-low-admitted.yaml").Changes.ShouldHaveSingleItem().ShouldBeOfType<DeleteObject<KueueWorkloadView>>();

    [Fact]
    public void A_new_priority_moves_the_workload()
    {
        var job = Queued();
        job.Spec.Scheduling = new Api.V1Alpha1.Scheduling { Priority = 7 };
        ((int?)Applied("04-second-waits-for-quota.yaml", Plan(job, "04-second-waits-for-quota.yaml"))["spec"]!["priority"]).ShouldBe(7);
    }

    private static TrainingJob Queued(int? attempt = null, TrainingJobPhase phase = TrainingJobPhase.Queued) => AJob.Named("low").Nodes(2).Phase(phase).With(job =>
    {
        job.Status!.Attempt = attempt;
        job.Status.SchedulingMode = SchedulingMode.Kueue;
    }).Build();

    private static TrainingJob AttemptOf(TrainingJobPhase phase)
    {
        var job = Queued(1, phase);
        job.Status!.Admission = new AdmissionStatus { Attempt = 1, Size = 2 };
        return job;
    }

    private static ModePlan Plan(TrainingJob job, string? file) =>
        KueuePlanner.Plan(new Observed(job, []), file is null ? null : Workload(file), Make, null, Now);

    // Those of the other jobs of the recording stand for ours.
    private static KueueWorkloadView Workload(string file)
    {
        var workload = Samples.Read<KueueWorkloadView>("kueue", file);
        workload.Spec.Priority = 0;
        return workload;
    }

    private static CreateObject<KueueWorkload> Make() => new(new KueueWorkload());

    // What the server has after the only change of a plan, which must name the version that was read.
    private static JsonObject Applied(string file, ModePlan plan)
    {
        var patch = plan.Changes.ShouldHaveSingleItem().ShouldBeOfType<PatchObject<KueueWorkloadView>>().Patch;
        var before = Samples.Json("kueue", file);
        ((string?)patch.Body["metadata"]!["resourceVersion"]).ShouldBe((string?)before["metadata"]!["resourceVersion"]);
        patch.Subresource.ShouldBe(patch.Body["status"] is null ? null : "status");
        foreach (var part in (string[])["spec", "status"])
        {
            foreach (var (name, value) in patch.Body[part] as JsonObject ?? [])
            {
                if (value is null) before[part]!.AsObject().Remove(name);
                else before[part]![name] = value.DeepClone();
            }
        }

        return before;
    }

    private static List<string> Conditions(JsonObject workload, bool times = true) =>
        [.. workload["status"]!["conditions"]!.AsArray().Select(one => $"{one!["type"]}={one["status"]} {one["reason"]}{(times ? $" {one["lastTransitionTime"]} {one["observedGeneration"]}" : "")}")];
}
