using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Scheduling.Modes.Gangs;
using Trestle.Operator.Scheduling.Modes.Kueue;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Tests.Scheduling.Modes;

public sealed class ModeChoiceTests
{
    [Theory]
    [InlineData(null, "research", SchedulingMode.Kueue)]
    [InlineData(SchedulingMode.Auto, "research", SchedulingMode.Kueue)]
    [InlineData(null, "other", SchedulingMode.Operator)]
    [InlineData(null, null, SchedulingMode.Operator)]
    [InlineData(SchedulingMode.Operator, "research", SchedulingMode.Operator)]
    [InlineData(SchedulingMode.Native, "research", SchedulingMode.Native)]
    public void A_queue_that_is_a_local_queue_means_kueue(SchedulingMode? mode, string? queue, SchedulingMode chosen) =>
        Modes(served: true).Choose(Job(mode, queue)).ShouldSatisfyAllConditions(choice => choice.Mode.ShouldBe(chosen), choice => choice.Refusal.ShouldBeNull());

    [Fact]
    public void A_local_queue_of_another_namespace_is_none_of_the_jobs()
    {
        var job = Job(null, "research");
        job.Metadata.NamespaceProperty = "elsewhere";
        Modes(served: true).Choose(job).Mode.ShouldBe(SchedulingMode.Operator);
    }

    [Theory]
    [InlineData(SchedulingMode.Kueue, "scheduling.mode Kueue needs Kueue (kueue.x-k8s.io/v1beta2), which this cluster hasn't got; install it, or use Auto or Operator")]
    [InlineData(SchedulingMode.Native, "scheduling.mode Native needs the gang API of Kubernetes 1.36 or newer (scheduling.k8s.io PodGroup, feature gates GenericWorkload and GangScheduling), which this cluster hasn't got; use Auto or Operator")]
    [InlineData(SchedulingMode.Volcano, "scheduling.mode Volcano needs Volcano (scheduling.volcano.sh/v1beta1 PodGroup), which this cluster hasn't got; install it, or use Auto or Operator")]
    [InlineData(SchedulingMode.Coscheduling, "scheduling.mode Coscheduling needs the coscheduling plugin (scheduling.x-k8s.io/v1alpha1 PodGroup), which this cluster hasn't got; install it, or use Auto or Operator")]
    public void A_mode_that_the_cluster_has_not_got_fails_the_job_with_what_to_do(SchedulingMode mode, string sentence)
    {
        var job = Job(mode, "research");
        var status = TrainingJobPlanner.Plan(new Observed(job, []) { Admission = Modes(served: false).Choose(job) }, DateTimeOffset.UnixEpoch).Status.ShouldNotBeNull();
        (status.Phase, status.Reason, status.Message).ShouldBe((TrainingJobPhase.Failed, "Unsupported", sentence));
    }

    [Fact]
    public void Kueue_without_a_queue_is_refused() =>
        Modes(served: true).Choose(Job(SchedulingMode.Kueue, null)).Refusal!.ShouldStartWith("scheduling.mode Kueue needs scheduling.queue");

    [Theory]
    [InlineData(SchedulingMode.Volcano, true)]
    [InlineData(SchedulingMode.Coscheduling, true)]
    [InlineData(SchedulingMode.Native, false)]
    [InlineData(SchedulingMode.Kueue, false)]
    public void A_required_topology_is_refused_where_it_would_not_be_kept(SchedulingMode mode, bool refused)
    {
        var job = Job(mode, "research");
        job.Spec.Scheduling!.Topology = new Topology { Key = "rack" };
        var choice = Modes(served: true).Choose(job);
        (choice.Refusal is not null).ShouldBe(refused);
        Support.WhyRefused(new Observed(job, []) { Admission = choice }).ShouldBe(choice.Refusal);
    }

    [Fact]
    public void It_is_chosen_once()
    {
        var job = Job(null, "research");
        job.Status = TrainingJobPlanner.Plan(new Observed(job, []) { Admission = Modes(served: true).Choose(job) }, DateTimeOffset.UnixEpoch).Status;
        job.Status!.SchedulingMode.ShouldBe(SchedulingMode.Kueue);
        AdmissionModes.None.Choose(job).Mode.ShouldBe(SchedulingMode.Kueue);
    }

    [Fact]
    public void What_a_mode_does_not_look_at_is_told()
    {
        var job = Job(SchedulingMode.Native, "research");
        job.Spec.Scheduling!.Priority = 3;
        Support.WhatIsIgnored(new Observed(job, []) { Admission = Modes(served: true).Choose(job) })!.ShouldEndWith("scheduling.queue, scheduling.priority (set podTemplate.priorityClassName)");
    }

    private static TrainingJob Job(SchedulingMode? mode, string? queue) => AJob.Named().With(job => job.Spec.Scheduling = new Api.V1Alpha1.Scheduling { Mode = mode, Queue = queue }).Build();

    private static AdmissionModes Modes(bool served)
    {
        var queue = new KueueLocalQueueView { Metadata = new k8s.Models.V1ObjectMeta { Name = "research", NamespaceProperty = "research" } };
        var kueue = new KueueMode(new FixedKind<KueueWorkloadView>(served), new FixedKind<KueueLocalQueueView>(served, queue), new FixedKind<KueueFlavorView>(served), _ => throw new InvalidOperationException("no pod is needed"));
        return new AdmissionModes(
            [
                kueue,
                new NativeMode(new FixedKind<PodGroupV1Beta1>(false), new FixedKind<PodGroupV1Alpha2>(served)),
                new VolcanoMode(new FixedKind<VolcanoPodGroup>(served), "volcano"),
                new CoschedulingMode(new FixedKind<CoschedulingPodGroup>(served), "gang-scheduler"),
            ],
            kueue.IsLocalQueue);
    }
}
