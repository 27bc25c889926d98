using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Views;
using Trestle.Runtime;
using static Trestle.Api.V1Alpha1.TrainingJobPhase;

namespace Trestle.Operator.Tests.Scheduling;

/// <summary>Replicas of services in the queue; each of their pods asks for two GPUs.</summary>
public sealed class ReplicaGangsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_replica_is_a_gang_of_its_pods_once_all_are_there()
    {
        var service = AService.Named().Nodes(2).Build();
        Claims(service, [Pod(service, 0, 0)]).Single().Waiting.ShouldBeEmpty();
        var claim = Claims(service, [Pod(service, 0, 0), Pod(service, 0, 1)]).Single();
        var gang = claim.ToGang();
        (gang.Name, gang.Jobs.Single().Nodes, gang.Begun).ShouldBe(("research/policy-0", 2, false));
        claim.Shape.Requests.ShouldContain((Names.GpuResource, 2L));
    }

    [Fact]
    public void A_replica_some_of_whose_pods_end_is_not_let_go()
    {
        var service = AService.Named().Nodes(2).Build();
        Claims(service, [Pod(service, 0, 0), AReplica.Of(service, 0, 1).Gated().Terminating(Now).Build()]).Single().Waiting.ShouldBeEmpty();
    }

    [Fact]
    public void Half_a_replica_that_was_let_go_makes_the_rest_go_first()
    {
        var service = AService.Named().Nodes(2).Build();
        var claim = Claims(service, [AReplica.Of(service, 0, 0).On("n1").Build(), Pod(service, 0, 1)]).Single();
        (claim.ToGang().Begun, claim.Waiting.Count).ShouldBe((true, 1));
    }

    [Fact]
    public void Who_waited_longer_as_a_service_keeps_that_when_a_replica_is_made_anew()
    {
        var service = AService.Named().Change(service => service.Metadata.CreationTimestamp = Now.UtcDateTime.AddDays(-1)).Build();
        Claims(service, [Pod(service, 0, 0)]).Single().ToGang().QueuedAt.ShouldBe(Now.UtcDateTime.AddDays(-1));
    }

    [Fact]
    public void A_service_of_a_group_has_the_priority_and_the_queue_of_its_jobs()
    {
        var group = Group().With(group => group.Spec.Tasks[0].Job!.Scheduling = new Api.V1Alpha1.Scheduling { Priority = 7, Queue = "rl" }).Build();
        var claim = Claims(AGroup.ServiceOf(group, "policy"), [Pod(AGroup.ServiceOf(group, "policy"), 0, 0)], group).Single();
        (claim.Priority, claim.Queue).ShouldBe((7, "rl"));
    }

    [Fact]
    public void Jobs_and_services_of_a_group_start_together_or_not_at_all()
    {
        var group = Group().Build();
        var service = AGroup.ServiceOf(group, "policy");
        PodView[] pods = [Pod(service, 0, 0), Pod(service, 1, 0)];
        Decide(group, pods, Nodes.H100("n1", 4)).Admitted.ShouldBeEmpty();
        Decide(group, pods, Nodes.H100("n1", 6)).Admitted.Select(admitted => admitted.Job.Job.Name).ShouldBe(["g-trainer", "g-policy-0", "g-policy-1"], ignoreOrder: true);
    }

    [Fact]
    public void The_jobs_wait_until_the_pods_of_the_services_are_there_and_the_pods_for_the_jobs()
    {
        var group = Group().Build();
        var service = AGroup.ServiceOf(group, "policy");
        var queue = Queue(group, [AGroup.JobOf(group, "trainer", Queued)], [Pod(service, 0, 0)]);
        queue.Gangs.ShouldBeEmpty();
        queue.Held.Single().Reason.ShouldBe("waiting for the pods of g-policy, a service of its group, to be created");
        queue.HeldReplicas.Count.ShouldBe(1);

        var early = Queue(group, [AGroup.JobOf(group, "trainer", Pending)], [Pod(service, 0, 0), Pod(service, 1, 0)]);
        early.Gangs.ShouldBeEmpty();
        early.HeldReplicas.Values.Distinct().ShouldBe(["waiting for the jobs of its group, which start with it"]);
    }

    [Fact]
    public void A_replica_of_a_group_that_runs_goes_by_itself_and_before_others()
    {
        var group = Group().Build();
        var queue = Queue(group, [AGroup.JobOf(group, "trainer", Running, change: job => job.Status!.Admission = new AdmissionStatus { Attempt = 1, Ranks = [] })], [Pod(AGroup.ServiceOf(group, "policy"), 1, 0)]);
        queue.Gangs.Single().ShouldSatisfyAllConditions(gang => gang.Begun.ShouldBeTrue(), gang => gang.Name.ShouldBe("research/g-policy-1"));
    }

    [Fact]
    public void Where_every_task_starts_by_itself_so_does_every_replica()
    {
        var group = Group().With(group => group.Spec.Gang = GangPolicy.PerTask).Build();
        Queue(group, [AGroup.JobOf(group, "trainer", Queued)], [Pod(AGroup.ServiceOf(group, "policy"), 0, 0)]).Gangs.Select(gang => gang.Name).ShouldBe(["research/g-trainer", "research/g-policy-0"]);
    }

    private static AGroup Group() => AGroup.Named().Primary("trainer").Service("policy", replicas: 2);

    private static PodView Pod(InferenceService service, int replica, int node) => AReplica.Of(service, replica, node).Gated().With(pod =>
        pod.Spec.Containers = [new ContainerView { Name = "engine", Resources = new ContainerResourcesView { Requests = new() { [Names.GpuResource] = "2" } } }]).Build();

    private static IReadOnlyList<ReplicaClaim> Claims(InferenceService service, PodView[] pods, JobGroup? group = null, IReadOnlyList<JobCard>? holding = null) =>
        ReplicaClaim.Of([service], _ => pods, _ => Array.Empty<V1Toleration>(), key => key == group?.Key() ? group : null, holding ?? []);

    private static GangQueue Queue(JobGroup group, TrainingJob[] jobs, PodView[] pods)
    {
        var cards = JobCards.Of(jobs, _ => Nodes.Gpus(2));
        JobGroup? Find(ObjectKey key) => key == group.Key() ? group : null;
        return GangQueue.Of(cards, Find, Now).With(Claims(AGroup.ServiceOf(group, "policy"), pods, group, cards.Holding), cards.Job, new QuotaBook([], []));
    }

    private static PassResult Decide(JobGroup group, PodView[] pods, params PassNode[] nodes) =>
        AdmissionPass.Run(nodes, Queue(group, [AGroup.JobOf(group, "trainer", Queued)], pods).Gangs);
}
