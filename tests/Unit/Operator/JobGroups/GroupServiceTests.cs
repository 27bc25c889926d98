using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.JobGroups;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Tests.Fakes;
using Trestle.Runtime;
using static Trestle.Api.V1Alpha1.TrainingJobPhase;

namespace Trestle.Operator.Tests.JobGroups;

/// <summary>A trainer beside the service that it trains.</summary>
public sealed class GroupServiceTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Job_and_service_are_made_together()
    {
        var group = TrainServe().Build();
        Plan(group, [], []).Create.Select(task => task.Name).ShouldBe(["trainer", "policy"]);
        var service = AGroup.ServiceOf(group, "policy");
        (service.Metadata.Name, service.Metadata.Labels[Labels.Task], service.IsControlledBy(group)).ShouldBe(("g-policy", "policy", true));
    }

    [Fact]
    public void A_service_counts_as_a_task_and_says_what_it_is_doing()
    {
        var group = TrainServe().Build();
        var status = Plan(group, [AGroup.JobOf(group, "trainer", Running)], [AGroup.ServiceOf(group, "policy", InferenceServicePhase.Starting, "0/1 replicas ready; replica 0: loading")]).Status!;
        (status.Phase, status.Summary, status.Message).ShouldBe((JobGroupPhase.Pending, "1/2", "1/2 tasks running; policy: 0/1 replicas ready; replica 0: loading"));
        var task = status.Tasks!.Single(known => known.Name == "policy");
        (task.Kind, task.Ref, task.Phase, task.Role).ShouldBe(("InferenceService", "g-policy", "Starting", TaskRole.Auxiliary));
        Plan(group, [AGroup.JobOf(group, "trainer", Running)], [AGroup.ServiceOf(group, "policy", InferenceServicePhase.Available)]).Status!.Phase.ShouldBe(JobGroupPhase.Running);
    }

    [Fact]
    public void Without_a_primary_the_jobs_are_and_the_service_is_not()
    {
        var group = AGroup.Named().Task("trainer").Service("policy").Build();
        var plan = Plan(group, [AGroup.JobOf(group, "trainer", Succeeded)], [AGroup.ServiceOf(group, "policy", InferenceServicePhase.Available)]);
        plan.EndServices.Single().Metadata.Name.ShouldBe("g-policy");
        plan.Status!.Phase.ShouldBe(JobGroupPhase.Terminating);
    }

    [Fact]
    public void A_service_ends_after_its_delay_and_the_group_when_it_is_gone()
    {
        var group = TrainServe().Delay("30s").Build();
        var (trainer, service) = (AGroup.JobOf(group, "trainer", Succeeded), AGroup.ServiceOf(group, "policy", InferenceServicePhase.Available));
        var first = Plan(group, [trainer], [service]);
        (first.EndServices.Count, first.RequeueAfter).ShouldBe((0, TimeSpan.FromSeconds(30)));
        group.Status = first.Status;
        JobGroupPlanner.Plan(new ObservedGroup(group, [trainer]) { Services = [service] }, Now.AddSeconds(30)).EndServices.ShouldBe([service]);
        var last = JobGroupPlanner.Plan(new ObservedGroup(group, [trainer]), Now.AddSeconds(40)).Status!;
        (last.Phase, last.Tasks!.Single(task => task.Name == "policy").Phase).ShouldBe((JobGroupPhase.Succeeded, "Ended"));
    }

    [Fact]
    public void A_service_that_can_t_be_served_does_not_end_the_group_and_is_shown()
    {
        var group = TrainServe().Build();
        var plan = Plan(group, [AGroup.JobOf(group, "trainer", Running)], [AGroup.ServiceOf(group, "policy", InferenceServicePhase.Failed, "spec.podTemplate may not set hostname; remove it")]);
        (plan.Status!.Phase, plan.EndServices.Count).ShouldBe((JobGroupPhase.Pending, 0));
        plan.Status.Message!.ShouldContain("policy: spec.podTemplate may not set hostname");
    }

    [Fact]
    public void What_comes_to_light_after_the_end_is_ended()
    {
        var group = TrainServe().With(group => group.Status = new JobGroupStatus { Phase = JobGroupPhase.Succeeded }).Build();
        Plan(group, [], [AGroup.ServiceOf(group, "policy")]).EndServices.Count.ShouldBe(1);
    }

    [Fact]
    public void A_service_of_somebody_else_under_the_name_of_a_task_holds_the_group()
    {
        var plan = Plan(TrainServe().Build(), [], [AService.Named("g-policy").Build()]);
        plan.Create.ShouldBeEmpty();
        plan.Status!.Message.ShouldBe("InferenceService g-policy is there already and is not of this group; delete it, or rename the group or the task");
    }

    [Fact]
    public void A_group_that_nothing_would_end_is_refused()
    {
        Plan(AGroup.Named().Service("policy").Build(), [], []).Status!.Message.ShouldBe("the group has no job, so nothing would ever end it; add a task with a job, or make InferenceServices by themselves");
        Plan(TrainServe().With(group => group.Spec.Tasks[1].Role = TaskRole.Primary).Build(), [], []).Status!.Message!.ShouldStartWith("task policy is a service, which never ends by itself, so it can't be Primary");
    }

    [Fact]
    public async Task The_reconciler_makes_and_deletes_services()
    {
        var api = new FakeKubeApi(new FakeTimeProvider(Now));
        FakeCache<JobGroup> groups = new(api);
        FakeCache<TrainingJob> jobs = new(api, JobGroupReconciler.GroupKey);
        FakeCache<InferenceService> services = new(api);
        var reconciler = new JobGroupReconciler(api, groups, jobs, new CollectedEvents(), new FakeTimeProvider(Now), services);
        var key = new ObjectKey("research", "g");
        await api.CreateAsync(TrainServe().Build(), TestContext.Current.CancellationToken);

        await LookAsync();
        api.Find<InferenceService>(new ObjectKey("research", "g-policy"))!.Spec.Replicas.ShouldBe(1);

        await LookAsync();
        var group = api.Find<JobGroup>(key)!;
        group.Metadata.Annotations = new Dictionary<string, string> { [Annotations.Cancel] = "true" };
        await api.ReplaceAsync(group, TestContext.Current.CancellationToken);
        await LookAsync();
        api.All<InferenceService>().ShouldBeEmpty();

        async Task LookAsync()
        {
            groups.Refresh();
            jobs.Refresh();
            services.Refresh();
            await reconciler.ReconcileAsync(key, TestContext.Current.CancellationToken);
        }
    }

    private static AGroup TrainServe() => AGroup.Named().Primary("trainer").Service("policy");

    private static GroupPlan Plan(JobGroup group, TrainingJob[] jobs, InferenceService[] services) => JobGroupPlanner.Plan(new ObservedGroup(group, jobs) { Services = services }, Now);
}
