using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Scheduling.Modes.Gangs;
using Trestle.Operator.Scheduling.Modes.Kueue;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Tests.Fakes;
using Trestle.Operator.Tests.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Scheduling.Modes;

public sealed class AdmissionReconcilerTests
{
    [Fact]
    public async Task A_gang_runs_to_its_end_with_its_group_made_before_its_pods_and_deleted_after_them()
    {
        Groups groups = null!;
        var world = new World(Gang().Build(), api => new AdmissionModes([new NativeMode(new FixedKind<PodGroupV1Beta1>(false), groups = new Groups(api))], _ => false));
        var made = new List<string>();
        world.Api.Intercept = (verb, plural) =>
        {
            if (verb == "create" && plural is "pods" or "podgroups") made.Add(plural);
        };
        for (var round = 0; round < 20 && world.Job!.Status?.Phase != TrainingJobPhase.Succeeded; round++)
        {
            await StepAsync(world, groups);
            foreach (var pod in world.Api.All<V1Pod>()) pod.Spec.SchedulingGroup.PodGroupName.ShouldBe("train-a1");
            foreach (var pod in world.Pods) world.Kubelet(pod, 0);
            world.Wait(TimeSpan.FromSeconds(1));
        }

        world.Job!.Status!.Phase.ShouldBe(TrainingJobPhase.Succeeded);
        made.ShouldBe(["podgroups", "pods", "pods"]);
        await StepAsync(world, groups);
        world.Api.All<PodGroupV1Alpha2>().ShouldBeEmpty();
    }

    [Fact]
    public async Task No_pod_is_made_while_another_has_the_name_of_the_group()
    {
        Groups groups = null!;
        var world = new World(Gang().Build(), api => new AdmissionModes([new NativeMode(new FixedKind<PodGroupV1Beta1>(false), groups = new Groups(api))], _ => false));
        await world.Api.CreateAsync(new PodGroupV1Alpha2 { Metadata = new V1ObjectMeta { Name = "train-a1", NamespaceProperty = "research", OwnerReferences = [new V1OwnerReference { Controller = true, Kind = "Job", Name = "other", Uid = "other" }] } }, CancellationToken.None);
        for (var round = 0; round < 5; round++) await StepAsync(world, groups);
        world.Pods.ShouldBeEmpty();
        world.Api.Remove<PodGroupV1Alpha2>(new ObjectKey("research", "train-a1"));
        world.Wait(TimeSpan.FromSeconds(6));
        for (var round = 0; round < 5; round++) await StepAsync(world, groups);
        world.Pods.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_workload_of_somebody_else_is_told_of()
    {
        var world = new World(AJob.Named().With(job => job.Spec.Scheduling = new Api.V1Alpha1.Scheduling { Queue = "q" }).Build(), _ => Kueue(served: true));
        await world.Api.CreateAsync(new KueueWorkload { Metadata = new V1ObjectMeta { Name = "trainingjob-train", NamespaceProperty = "research" } }, CancellationToken.None);
        for (var round = 0; round < 3; round++) await StepAsync(world, null);
        (world.Job!.Status!.Phase, world.Job.Status.Reason).ShouldBe((TrainingJobPhase.Queued, "NameTaken"));
        world.Job.Status.Message!.ShouldContain("delete Workload trainingjob-train");
    }

    [Fact]
    public async Task A_job_whose_scheduler_is_gone_waits_and_says_so()
    {
        var job = AJob.Named().Phase(TrainingJobPhase.Queued).With(job => job.Status!.SchedulingMode = SchedulingMode.Kueue).Build();
        var world = new World(job, _ => Kueue(served: false));
        await StepAsync(world, null);
        (world.Job!.Status!.Phase, world.Job.Status.Reason).ShouldBe((TrainingJobPhase.Queued, "SchedulerMissing"));
        world.Job.Status.Message!.ShouldStartWith("scheduling.mode Kueue needs Kueue");
    }

    [Fact]
    public async Task Jobs_of_the_operator_are_left_to_it()
    {
        var world = new World(AJob.Named().Phase(TrainingJobPhase.Queued).With(job => job.Status!.SchedulingMode = SchedulingMode.Operator).Build());
        world.RefreshJobs();
        var requests = world.Api.Requests;
        await world.AdmissionAsync();
        world.Api.Requests.ShouldBe(requests);
    }

    private static AJob Gang() => AJob.Named().Nodes(2).With(job => job.Spec.Scheduling = new Api.V1Alpha1.Scheduling { Mode = SchedulingMode.Native });

    private static AdmissionModes Kueue(bool served)
    {
        var queue = new KueueLocalQueueView { Metadata = new V1ObjectMeta { Name = "q", NamespaceProperty = "research" } };
        var kueue = new KueueMode(
            new FixedKind<KueueWorkloadView>(served), new FixedKind<KueueLocalQueueView>(served, queue), new FixedKind<KueueFlavorView>(served), _ => new V1Pod { Spec = new V1PodSpec { Containers = [] } });
        return new AdmissionModes([kueue], kueue.IsLocalQueue);
    }

    private static async Task StepAsync(World world, Groups? groups)
    {
        world.RefreshJobs();
        world.RefreshPods();
        groups?.Refresh();
        await world.AdmissionAsync();
        world.RefreshJobs();
        await world.ReconcileAsync();
    }

    private sealed class Groups(FakeKubeApi api) : IOptionalCache<PodGroupV1Alpha2>
    {
        private readonly FakeCache<PodGroupV1Alpha2> _cache = new(api, GangIndex.OwnerOf);

        public bool IsServed => true;

        public IObjectCache<PodGroupV1Alpha2> Cache => _cache;

        public void Refresh() => _cache.Refresh();
    }
}
