using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.InferenceServices;

public sealed class ServicePlannerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_new_service_gets_a_gateway_and_all_pods_of_its_replicas()
    {
        var plan = Plan(AService.Named().Replicas(2).Nodes(2));
        Told(plan).ShouldBe(["gateway", "make 0 [0 1]", "make 1 [0 1]"]);
        (plan.Status.Phase, plan.Status.Replicas, plan.Status.ReadyReplicas).ShouldBe((InferenceServicePhase.Pending, 0, 0));
        plan.Status.Message.ShouldBe("0/2 replicas ready; replica 0: not there yet; gateway: not there yet");
    }

    [Fact]
    public void A_service_whose_replicas_are_ready_is_available_and_left_alone()
    {
        var plan = Plan(AService.Named().Replicas(2), service => [Ready(service, 0), Ready(service, 1)]);
        Told(plan).ShouldBeEmpty();
        (plan.Status.Phase, plan.Status.Message, plan.Status.ReadyReplicas).ShouldBe((InferenceServicePhase.Available, "2/2 replicas ready", 2));
        (plan.Status.Url, plan.Status.Selector).ShouldBe(("http://policy.research.svc:8000", "trestle.dev/service=policy,app.kubernetes.io/component=replica,trestle.dev/rank=0"));
        plan.Status.Conditions!.Single(condition => condition.Type == "Available").Status.ShouldBe("True");
    }

    [Fact]
    public void Without_a_gateway_nothing_is_available()
    {
        var service = AService.Named().Build();
        var plan = ServicePlanner.Plan(Seen(service, [Ready(service, 0)]), Now);
        Told(plan).ShouldBe(["gateway"]);
        plan.Status.Phase.ShouldBe(InferenceServicePhase.Starting);
        (plan.Status.Conditions ?? []).ShouldNotContain(condition => condition.Type == "Available");
    }

    [Fact]
    public void A_gateway_of_an_old_template_is_followed_by_a_new_one_and_never_meets_it()
    {
        var service = AService.Named().Build();
        var old = AReplica.Gateway(service, "old");
        Told(ServicePlanner.Plan(Seen(service, [Ready(service, 0), old]), Now)).ShouldBe(["end gateway"]);
        service.Status = new InferenceServiceStatus { Weights = new WeightsStatus { Phase = "Updating" } };
        Told(ServicePlanner.Plan(Seen(service, [Ready(service, 0), old]), Now)).ShouldBeEmpty("weights that travel would be lost");
        service.Status = null;
        old.Metadata.DeletionTimestamp = Now.UtcDateTime.AddSeconds(30);
        Told(ServicePlanner.Plan(Seen(service, [Ready(service, 0), old]), Now)).ShouldBeEmpty();
    }

    [Fact]
    public void The_nodes_of_a_replica_live_and_die_together()
    {
        var plan = Plan(AService.Named().Replicas(2).Nodes(2), service =>
        [
            Ready(service, 0), AReplica.Of(service, 0, 1).Exited(139, "segmentation fault").Build(),
            Ready(service, 1), AReplica.Of(service, 1, 1).On("n2").Ready().Build(),
        ]);
        Told(plan).ShouldBe(["end 0 [policy-0-0 policy-0-1] Error"]);
        plan.Status.Message.ShouldBe("1/2 replicas ready; replica 0: the engine of pod policy-0-1 ended with exit code 139: segmentation fault");
        plan.Status.Phase.ShouldBe(InferenceServicePhase.Degraded);
    }

    [Fact]
    public void A_replica_that_lost_a_node_of_its_own_is_ended_whole_and_without_blame()
    {
        var plan = Plan(AService.Named().Nodes(2), service => [Ready(service, 0)]);
        plan.Effects.OfType<EndReplica>().Single().Trouble.ShouldBe(new Trouble("PodDeleted", "it has 1 of 2 pods left", Counts: false));
    }

    [Fact]
    public void A_replica_whose_pods_are_being_created_is_completed()
    {
        var plan = Plan(AService.Named().Nodes(2), service => [AReplica.Of(service).Gated().Build()]);
        Told(plan).ShouldBe(["make 0 [1]"]);
    }

    [Fact]
    public void A_replica_on_a_lost_node_is_made_anew_and_its_pods_are_forgotten_when_nobody_else_can_end_them()
    {
        var service = AService.Named().Build();
        var pod = Ready(service, 0);
        var seen = Seen(service, [pod, AReplica.Gateway(service)]) with { LostNodes = new HashSet<string> { "n9" } };
        pod.Spec.NodeName = "n9";
        Told(ServicePlanner.Plan(seen, Now)).ShouldBe(["end 0 [policy-0-0] NodeLost"]);
        pod.Metadata.DeletionTimestamp = Now.UtcDateTime;
        Told(ServicePlanner.Plan(seen, Now)).ShouldBe(["forget policy-0-0"]);
    }

    [Fact]
    public void A_pod_that_its_node_does_not_take_up_is_given_another()
    {
        var service = AService.Named().Build();
        var pod = AReplica.Of(service).Build();
        var seen = Seen(service, [pod, AReplica.Gateway(service)]) with { Released = new Dictionary<string, DateTimeOffset> { [pod.Metadata.Uid] = Now.AddSeconds(-60) } };
        Told(ServicePlanner.Plan(seen, Now)).ShouldBe(["end 0 [policy-0-0] NotStarted"]);
        Told(ServicePlanner.Plan(seen, Now.AddSeconds(-1))).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Stalled", null, null, true)]
    [InlineData("Stalled", StallAction.None, null, false)]
    [InlineData("Quarantined", null, null, false)]
    [InlineData("Quarantined", null, WeightsFailure.Restart, true)]
    [InlineData("Updating", null, WeightsFailure.Restart, false)]
    public void What_the_gateway_finds_wrong_is_restarted_where_the_user_wants_that(string state, StallAction? stall, WeightsFailure? failure, bool restarts)
    {
        var plan = Plan(AService.Named().With(spec => (spec.Health, spec.Weights) = (new HealthSpec { Stall = new StallSpec { Action = stall } }, new WeightsSpec { OnFailure = failure })), service =>
        {
            service.Status = new InferenceServiceStatus { ReplicaStatuses = [new ReplicaStatus { Name = "policy-0-0", Uid = "pod-policy-0-0", State = state }] };
            return [Ready(service, 0)];
        });
        (plan.Effects.Count > 0).ShouldBe(restarts);
    }

    [Theory]
    [InlineData("pod-before-this-one", -3600, false)]
    [InlineData(null, -10, false)]
    [InlineData(null, -3600, true)]
    public void What_was_said_of_the_pod_before_is_not_held_against_this_one(string? uid, int madeSeconds, bool restarts)
    {
        var plan = Plan(AService.Named(), service =>
        {
            service.Status = new InferenceServiceStatus { ReplicaStatuses = [new ReplicaStatus { Name = "policy-0-0", Uid = uid, State = "Stalled" }] };
            var pod = Ready(service, 0);
            pod.Metadata.CreationTimestamp = Now.UtcDateTime.AddSeconds(madeSeconds);
            return [pod];
        });
        (plan.Effects.Count > 0).ShouldBe(restarts);
    }

    [Fact]
    public void A_replica_that_failed_waits_longer_each_time()
    {
        var (first, second) = (ReplicaFailures.Next(null, Now, TimeSpan.Zero, "it broke"), ReplicaFailures.Next(new ReplicaFailures(1, Now, ""), Now, TimeSpan.Zero, "it broke"));
        (first.NotBefore - Now, second.NotBefore - Now, new ReplicaFailures(50, Now, "").NotBefore - Now).ShouldBe((TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(5)));
        ReplicaFailures.Next(second, Now, TimeSpan.FromMinutes(10), "").Count.ShouldBe(1, "who ran for long did not fail in a row");

        var service = AService.Named().Build();
        var seen = Seen(service, [AReplica.Gateway(service)]) with { Failures = new Dictionary<int, ReplicaFailures> { [0] = second } };
        var plan = ServicePlanner.Plan(seen, Now.AddSeconds(15));
        (plan.Effects.Count, plan.RequeueAfter).ShouldBe((0, TimeSpan.FromSeconds(5)));
        plan.Status.Message!.ShouldContain("failed 2 times, again at 12:00:20 UTC: it broke");
        Told(ServicePlanner.Plan(seen, Now.AddSeconds(20))).ShouldBe(["make 0 [0]"]);
    }

    [Fact]
    public void Fewer_replicas_are_the_lower_ones_and_the_ready_ones_stay_until_enough_are()
    {
        Told(Plan(AService.Named().Replicas(1), service => [Ready(service, 0), Ready(service, 1), Ready(service, 2)])).ShouldBe(["end 2 [policy-2-0]", "end 1 [policy-1-0]"]);
        Told(Plan(AService.Named().Replicas(1), service => [AReplica.Of(service).On("n1").Build(), Ready(service, 1)])).ShouldBeEmpty();
        Told(Plan(AService.Named().Replicas(0), service => [Ready(service, 0)])).ShouldBe(["end 0 [policy-0-0]"]);
    }

    [Fact]
    public void A_new_template_is_rolled_out_one_more_at_a_time()
    {
        var service = AService.Named().Replicas(2).Build();
        PodView Old(int replica) => AReplica.Of(service, replica, hash: "old").On("n1").Ready().Build();
        string[] Next(params PodView[] pods) => Told(ServicePlanner.Plan(Seen(service, [.. pods, AReplica.Gateway(service)]), Now));

        Next(Old(0), Old(1)).ShouldBe(["make 2 [0]"]);
        Next(Old(0), Old(1), AReplica.Of(service, 2).On("n1").Build()).ShouldBeEmpty();
        Next(Old(0), Old(1), Ready(service, 2)).ShouldBe(["end 1 [policy-1-0]"]);
        Next(Old(0), Ready(service, 2)).ShouldBe(["make 1 [0]"]);
        Next(Old(0), Ready(service, 1), Ready(service, 2)).ShouldBe(["end 0 [policy-0-0]"]);
        Next(Ready(service, 1), Ready(service, 2)).ShouldBe(["make 0 [0]"]);
        Next(Ready(service, 0), Ready(service, 1), Ready(service, 2)).ShouldBe(["end 2 [policy-2-0]"]);
        ServicePlanner.Plan(Seen(service, [Old(0), Old(1), AReplica.Gateway(service)]), Now).Status.ShouldSatisfyAllConditions(
            status => status.Phase.ShouldBe(InferenceServicePhase.Available),
            status => status.Reason.ShouldBe("RollingOut"));
    }

    [Fact]
    public void Without_room_for_more_the_ready_ones_make_room_one_by_one() =>
        Told(Plan(AService.Named().Replicas(2).Rollout("0", "0"), service => [AReplica.Of(service, 0, hash: "old").On("n1").Ready().Build(), AReplica.Of(service, 1, hash: "old").On("n1").Ready().Build()]))
            .ShouldBe(["end 1 [policy-1-0]"]);

    [Fact]
    public void What_a_replica_waits_for_is_told()
    {
        var service = AService.Named().Build();
        var seen = Seen(service, [AReplica.Of(service).Gated().Build(), AReplica.Gateway(service)]) with { Waits = new Dictionary<int, string> { [0] = "waiting for 2 H100, 1 free" } };
        ServicePlanner.Plan(seen, Now).Status.Message.ShouldBe("0/1 replicas ready; replica 0: waiting for 2 H100, 1 free");
        Plan(AService.Named(), service => [AReplica.Of(service).Waiting("ErrImagePull", "not found").Build()]).Status.Message.ShouldBe("0/1 replicas ready; replica 0: ErrImagePull: not found");
    }

    [Fact]
    public void Why_an_engine_does_not_serve_is_told_of_the_service_and_stays_current_while_it_is_not_available()
    {
        InferenceServiceStatus After(InferenceServiceStatus? before, string why, bool ready) => Plan(AService.Named(), service =>
        {
            service.Status = before ?? new InferenceServiceStatus();
            service.Status.ReplicaStatuses = [new ReplicaStatus { Name = "policy-0-0", Uid = "pod-policy-0-0", State = "Loading", Message = why }];
            var replica = AReplica.Of(service).On("n1");
            return [ready ? replica.Ready().Build() : replica.Build()];
        }).Status;
        var available = After(null, "", ready: true);
        var first = After(available, "its engine answers 503", ready: false);
        first.Message.ShouldBe("0/1 replicas ready; replica 0: loading: its engine answers 503");
        var second = After(first, "its engine ended before: no such model", ready: false);
        second.Conditions!.Single(condition => condition.Type == "Available").ShouldSatisfyAllConditions(
            condition => condition.Status.ShouldBe("False"),
            condition => condition.Message.ShouldBe("0/1 replicas ready; replica 0: loading: its engine ended before: no such model"));
    }

    [Fact]
    public void Nothing_is_made_of_a_service_that_is_refused_or_whose_name_is_taken()
    {
        var service = AService.Named().Build();
        var refused = ServicePlanner.Plan(Seen(service, []) with { Refusal = "spec.podTemplate may not set hostname; remove it" }, Now);
        (refused.Effects.Count, refused.Status.Phase, refused.Status.Message).ShouldBe((0, InferenceServicePhase.Failed, "spec.podTemplate may not set hostname; remove it"));
        var taken = ServicePlanner.Plan(Seen(service, []) with { Obstacle = new Obstacle("NameTaken", "Service policy is there already") }, Now);
        (taken.Effects.Count, taken.Status.Phase, taken.RequeueAfter).ShouldBe((0, InferenceServicePhase.Pending, ServicePlanner.LookAgain));
    }

    [Theory]
    [InlineData("v2", "v2", "True")]
    [InlineData("v3", "v2", "False")]
    public void Whether_the_weights_are_current_is_what_the_gateway_says(string desired, string serving, string status) => Plan(AService.Named().TrainedBy("trainer"), service =>
    {
        service.Status = new InferenceServiceStatus
        {
            Weights = new WeightsStatus { DesiredVersion = desired, ServingVersion = serving },
            Conditions = [new k8s.Models.V1Condition { Type = "WeightsCurrent", Status = status == "True" ? "False" : "True" }],
        };
        return [Ready(service, 0)];
    }).Status.Conditions!.Single(condition => condition.Type == "WeightsCurrent").Status.ShouldBe(status);

    private static PodView Ready(InferenceService service, int replica) => AReplica.Of(service, replica).On("n1").Ready().Build();

    private static ServicePlan Plan(AService service, Func<InferenceService, PodView[]>? pods = null) =>
        ServicePlanner.Plan(Seen(service.Build(), pods is null ? [] : [.. pods(service.Build()), AReplica.Gateway(service.Build())]), Now);

    private static ObservedService Seen(InferenceService service, PodView[] pods) => new(service, pods) { ReplicaHash = AReplica.Hash, GatewayHash = AReplica.Hash };

    private static string[] Told(ServicePlan plan) => [.. plan.Effects.Select(effect => effect switch
    {
        MakePods make => $"make {make.Replica} [{string.Join(' ', make.Nodes)}]",
        EndReplica end => $"end {end.Replica} [{string.Join(' ', end.Pods.Select(pod => pod.Metadata.Name))}] {end.Trouble?.Reason}".TrimEnd(),
        ForgetPods forget => $"forget {string.Join(' ', forget.Pods.Select(pod => pod.Metadata.Name))}",
        EndGateway => "end gateway",
        _ => "gateway",
    })];
}
