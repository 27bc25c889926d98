using System.Net;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.TrainingJobs;

public sealed class TrainingJobReconcilerTests
{
    [Fact]
    public async Task A_failure_is_in_the_status_before_a_pod_is_ended()
    {
        var world = await RunningAsync(AJob.Named().Nodes(2).Restarts(1));
        world.Kubelet(world.Pods[0], exit: 1);
        await StepAsync(world, crashAfter: 1);
        (world.Job!.Status!.Phase, world.Job.Status.Restarts!.Counted).ShouldBe((TrainingJobPhase.Restarting, 1));
        world.Pods.ShouldAllBe(pod => !pod.IsTerminating());
        await StepAsync(world);
        world.Pods.Single(pod => !pod.IsTerminal()).IsTerminating().ShouldBeTrue();
        world.Job.Status.Restarts.Counted.ShouldBe(1);
    }

    [Fact]
    public async Task Nothing_is_done_or_told_when_somebody_else_wrote_first()
    {
        var world = await RunningAsync(AJob.Named());
        world.Kubelet(world.Pods[0], exit: 1);
        world.RefreshPods();
        world.Suspend(false); // the cache of jobs is one version behind now
        await world.ReconcileAsync();
        world.Job!.Status!.Phase.ShouldBe(TrainingJobPhase.Running);
        world.Events.All.ShouldNotContain(told => told.Reason == "RunFailed");
        await StepAsync(world);
        world.Events.All.Count(told => told is { Reason: "RunFailed", Warning: true }).ShouldBe(1);
    }

    [Fact]
    public async Task What_the_caches_do_not_show_yet_is_not_asked_for_twice()
    {
        var world = await AdmittedAsync(AJob.Named().Nodes(3));
        await StepAsync(world);
        world.Pods.Count.ShouldBe(3);
        var before = world.Api.Requests;
        world.RefreshJobs();
        await world.ReconcileAsync();
        world.Api.Requests.ShouldBe(before);
    }

    [Fact]
    public async Task The_objects_of_a_job_are_made_and_old_tokens_go()
    {
        var world = await RunningAsync(AJob.Named().Restarts(1).With(job => job.Spec.Recovery!.Backoff = new Backoff { Initial = "0s" }));
        world.Api.All<V1Service>().Select(item => item.Metadata.Name).ShouldBe(["train"]);
        world.Api.All<V1ConfigMap>().Select(item => item.Metadata.Name).ShouldBe(["train-launch"]);
        world.Api.All<V1Secret>().Select(item => item.Metadata.Name).ShouldBe(["train-a1-rendezvous"]);
        world.Kubelet(world.Pods[0], exit: 1);
        await StepAsync(world);
        world.Admit();
        await StepAsync(world);
        world.Api.All<V1Secret>().Select(item => item.Metadata.Name).ShouldBe(["train-a2-rendezvous"]);
    }

    [Fact]
    public async Task A_task_shares_the_service_of_its_group()
    {
        var world = await RunningAsync(AJob.Named("run-eval").With(job =>
        {
            job.Metadata.OwnerReferences = [new V1OwnerReference { ApiVersion = ApiGroup.ApiVersion, Kind = JobGroup.KubeKind, Name = "run", Uid = "group", Controller = true }];
            job.Metadata.Labels = new Dictionary<string, string> { [Labels.Task] = "eval", [Labels.JobGroup] = "run" };
        }));
        world.Api.All<V1Service>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_pod_of_an_earlier_job_of_the_same_name_is_waited_for()
    {
        var world = await AdmittedAsync(AJob.Named());
        var earlier = APod.Of(AJob.Named().With(job => job.Metadata.Uid = "earlier").Build()).Running().Build();
        await world.Api.CreateAsync(earlier, CancellationToken.None);
        await StepAsync(world);
        world.Job!.Status!.Phase.ShouldBe(TrainingJobPhase.Admitted);
        world.Api.Remove<PodView>(earlier.Key());
        await StepAsync(world);
        await StepAsync(world);
        world.Job.Status.Phase.ShouldBe(TrainingJobPhase.Starting);
    }

    [Theory]
    [InlineData(HttpStatusCode.UnprocessableEntity, "Invalid", TrainingJobPhase.Failed)]
    [InlineData(HttpStatusCode.Forbidden, "Forbidden", TrainingJobPhase.Queued)]
    public async Task A_pod_that_the_server_refuses_ends_the_attempt_with_its_words(HttpStatusCode code, string reason, TrainingJobPhase phase)
    {
        var world = await AdmittedAsync(AJob.Named());
        world.Api.Intercept = (verb, plural) =>
        {
            if ((verb, plural) == ("create", "pods")) throw new KubeApiException(code, reason, "spec.tolerations[0].operator: unknown");
        };
        await StepAsync(world);
        (world.Job!.Status!.Phase, world.Job.Status.Reason).ShouldBe((phase, phase == TrainingJobPhase.Failed ? "PodRefused" : "Requeued"));
        world.Job.Status.Message!.ShouldStartWith("the pods can't be created: spec.tolerations[0].operator: unknown");
    }

    [Fact]
    public async Task Reports_without_a_decision_are_gathered()
    {
        var world = await AdmittedAsync(AJob.Named().Nodes(3));
        await StepAsync(world);
        await StepAsync(world);
        world.Job!.Status!.Phase.ShouldBe(TrainingJobPhase.Starting);
        for (var round = 0; round < 2; round++) world.Kubelet(world.Pods[0], 0);
        await StepAsync(world);
        world.Job.Status.Nodes!.Ready.ShouldBe(0, "the report before was a moment ago");
        world.Wait(TimeSpan.FromSeconds(1));
        await StepAsync(world);
        world.Job.Status.Nodes!.Ready.ShouldBe(1);
    }

    [Fact]
    public async Task A_deleted_job_ends_its_pods_first_and_is_gone()
    {
        var world = await RunningAsync(AJob.Named());
        await world.Api.DeleteAsync<TrainingJob>(world.Job!.Key(), Deletion.Default, CancellationToken.None);
        await StepAsync(world);
        world.Job.ShouldNotBeNull();
        world.Kubelet(world.Pods.ShouldHaveSingleItem(), 0);
        await StepAsync(world);
        world.Job.ShouldBeNull();
    }

    private static async Task<World> AdmittedAsync(AJob job)
    {
        var world = new World(job.Build());
        await StepAsync(world);
        world.Admit();
        return world;
    }

    private static async Task<World> RunningAsync(AJob job)
    {
        var world = await AdmittedAsync(job);
        for (var round = 0; round < 5; round++)
        {
            await StepAsync(world);
            if (round < 4)
            {
                foreach (var pod in world.Pods.Where(pod => pod.Status?.Phase != "Running")) world.Kubelet(pod, 0);
            }

            world.Wait(TimeSpan.FromSeconds(1));
        }

        world.Job!.Status!.Phase.ShouldBe(TrainingJobPhase.Running);
        return world;
    }

    private static Task StepAsync(World world, int crashAfter = -1)
    {
        world.RefreshJobs();
        world.RefreshPods();
        return world.ReconcileAsync(crashAfter);
    }
}
