using System.Net;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.InferenceServices;

public sealed class InferenceServiceReconcilerTests
{
    [Fact]
    public async Task A_service_becomes_what_it_consists_of_and_is_available()
    {
        using var world = new ServiceWorld(AService.Named().Replicas(2).Accelerators("H100:2").Build(), "n1", "n2");
        await world.SettleAsync();
        var status = world.Service.Status!;
        (status.Phase, status.Message, status.Replicas, status.ReadyReplicas).ShouldBe((InferenceServicePhase.Available, "2/2 replicas ready", 2, 2));
        world.Replicas.Select(pod => $"{pod.Metadata.Name} {pod.Spec.NodeName}").ShouldBe(["policy-0-0 n1", "policy-1-0 n2"]);
        world.Api.All<V1Service>().Select(one => one.Metadata.Name).ShouldBe(["policy", "policy-replicas"], ignoreOrder: true);
        world.Api.Find<V1NetworkPolicy>(new ObjectKey("research", "policy-replicas")).ShouldNotBeNull();
        world.Api.Find<V1RoleBinding>(new ObjectKey("research", "policy-gateway")).ShouldNotBeNull();
        world.Api.Find<V1PodDisruptionBudget>(new ObjectKey("research", "policy"))!.Spec.MinAvailable.Value.ShouldBe("1", "one may go, so that nodes can be drained");
        world.Events.All.ShouldContain(told => told.Reason == "ReplicasReady" && !told.Warning);
    }

    [Fact]
    public async Task A_settled_service_costs_no_requests()
    {
        using var world = new ServiceWorld(AService.Named().Build(), "n1");
        await world.SettleAsync();
        var requests = world.Api.Requests;
        await world.ReconcileAsync();
        world.Api.Requests.ShouldBe(requests);
    }

    [Fact]
    public async Task What_the_gateway_wrote_of_a_status_stays()
    {
        using var world = new ServiceWorld(AService.Named().Build(), "n1");
        var service = world.Service;
        service.Status = new InferenceServiceStatus { Load = new LoadStatus { Waiting = 3 }, Weights = new WeightsStatus { ServingVersion = "v7" }, ReplicaStatuses = [new ReplicaStatus { Name = "policy-0-0", State = "Loading" }] };
        await world.Api.ReplaceStatusAsync(service, TestContext.Current.CancellationToken);
        await world.ReconcileAsync();
        var status = world.Service.Status!;
        (status.Phase, status.Weights!.ServingVersion, status.Load!.Waiting, status.ReplicaStatuses!.Single().State).ShouldBe((InferenceServicePhase.Pending, "v7", 3, "Loading"));
    }

    [Fact]
    public async Task Updates_of_weights_are_shown_and_are_no_events()
    {
        using var world = new ServiceWorld(AService.Named().TrainedBy("trainer").Build(), "n1");
        await world.SettleAsync();
        var events = world.Events.All.Count;
        foreach (var (step, phase) in new[] { ("Pausing", InferenceServicePhase.Updating), ("Idle", InferenceServicePhase.Available) })
        {
            var service = world.Service;
            service.Status!.Weights = new WeightsStatus { Phase = step };
            await world.Api.ReplaceStatusAsync(service, TestContext.Current.CancellationToken);
            await world.ReconcileAsync();
            world.Service.Status!.Phase.ShouldBe(phase);
        }

        world.Events.All.Count.ShouldBe(events);
    }

    [Fact]
    public async Task Replicas_whose_control_routes_are_opened_have_no_policy_any_more()
    {
        using var world = new ServiceWorld(AService.Named().Build(), "n1");
        await world.SettleAsync();
        world.Api.All<V1NetworkPolicy>().Select(policy => policy.Metadata.Name).ShouldBe(["policy-gateway", "policy-replicas"], ignoreOrder: true);
        await world.ChangeAsync(spec => spec.Auth = new AuthSpec { IsolateAdmin = false });
        await world.SettleAsync();
        world.Api.All<V1NetworkPolicy>().ShouldHaveSingleItem().Metadata.Name.ShouldBe("policy-gateway");
        world.Service.Status!.Phase.ShouldBe(InferenceServicePhase.Available);
    }

    [Fact]
    public async Task The_token_is_made_once()
    {
        using var world = new ServiceWorld(AService.Named().Build(), "n1");
        await world.SettleAsync();
        var token = Token(world);
        world.Restart();
        await world.SettleAsync();
        Token(world).ShouldBe(token);

        static byte[] Token(ServiceWorld world) => world.Api.Find<V1Secret>(new ObjectKey("research", "policy-gateway"))!.Data["token"];
    }

    [Fact]
    public async Task A_service_of_somebody_else_is_left_alone_and_told_of()
    {
        using var world = new ServiceWorld(AService.Named().Build(), "n1");
        world.Make(new V1Service { Metadata = new V1ObjectMeta { Name = "policy", NamespaceProperty = "research" }, Spec = new V1ServiceSpec { ClusterIP = "None" } });
        await world.ReconcileAsync();
        (world.Service.Status!.Phase, world.Service.Status.Reason).ShouldBe((InferenceServicePhase.Pending, "NameTaken"));
        world.Service.Status.Message.ShouldBe("Service policy is there already and is not of this service; delete it, or rename the service");
        world.Api.All<V1Service>().Single(one => one.Metadata.Name == "policy").Spec.Ports.ShouldBeNull();
        world.Replicas.ShouldBeEmpty();
    }

    [Fact]
    public async Task Pods_that_the_server_refuses_are_told_of_and_tried_again()
    {
        using var world = new ServiceWorld(AService.Named().Build(), "n1");
        world.Api.Intercept = (verb, plural) =>
        {
            if ((verb, plural) == ("create", "pods")) throw new KubeApiException(HttpStatusCode.Forbidden, "Forbidden", "exceeded quota");
        };
        (await world.ReconcileAsync()).ShouldNotBeNull();
        world.Service.Status!.Message!.ShouldContain("can't be created: exceeded quota");
        world.Api.Intercept = null;
        await world.SettleAsync();
        world.Service.Status!.Phase.ShouldBe(InferenceServicePhase.Available);
    }

    [Fact]
    public async Task A_replica_waits_until_all_its_nodes_are_free_and_is_told_for_what()
    {
        using var world = new ServiceWorld(AService.Named().Nodes(2).Accelerators("H100:2").Build(), "n1");
        await world.SettleAsync();
        world.Replicas.ShouldAllBe(pod => pod.IsGated());
        world.Service.Status!.Message.ShouldBe("0/1 replicas ready; replica 0: asks for 2 nodes with 2 H100 and 0.05 CPUs and 128Mi of memory each; the cluster has 1");
    }

    [Fact]
    public async Task A_node_that_fails_takes_the_whole_replica_with_it_and_another_takes_its_place()
    {
        using var world = new ServiceWorld(AService.Named().Nodes(2).Accelerators("H100:2").Build(), "n1", "n2", "n3");
        await world.SettleAsync();
        world.Service.Status!.Phase.ShouldBe(InferenceServicePhase.Available);
        await world.FailNodeAsync(world.Replicas[1].Spec.NodeName!);
        await world.ReconcileAsync();
        world.Replicas.ShouldAllBe(pod => pod.IsTerminating());
        await world.SettleAsync();
        world.Service.Status!.Phase.ShouldBe(InferenceServicePhase.Available);
        world.Events.All.ShouldContain(told => told.Reason == "NodeLost" && told.Warning);
    }

    [Fact]
    public async Task A_cache_that_is_behind_lets_no_second_ready_replica_go()
    {
        using var world = new ServiceWorld(AService.Named().Replicas(3).Rollout("0", "1").Build(), "n1", "n2", "n3");
        await world.SettleAsync();
        await world.ChangeAsync(spec => spec.Engine = new EngineSpec { Args = ["--enforce-eager"] });
        await world.ReconcileAsync();
        await world.ReconcileAsync(refresh: false);
        world.Replicas.Count(pod => pod.IsTerminating()).ShouldBe(1);
    }

    [Fact]
    public async Task A_rollout_ends_with_all_replicas_of_the_new_template_and_no_more()
    {
        using var world = new ServiceWorld(AService.Named().Replicas(2).Build(), "n1", "n2", "n3");
        await world.SettleAsync();
        var old = world.Replicas[0].Label(Labels.TemplateHash);
        await world.ChangeAsync(spec => spec.Engine = new EngineSpec { Args = ["--enforce-eager"] });
        await world.SettleAsync();
        world.Replicas.Select(pod => pod.Metadata.Name).ShouldBe(["policy-0-0", "policy-1-0"]);
        world.Replicas.ShouldAllBe(pod => pod.Label(Labels.TemplateHash) != old);
    }

    [Fact]
    public async Task A_cluster_that_was_just_filled_is_not_filled_again_while_the_cache_is_behind()
    {
        using var world = new ServiceWorld(AService.Named().Replicas(2).Accelerators("H100:2").Build(), "n1");
        await world.ReconcileAsync();
        await world.ScheduleAsync();
        await world.ScheduleAsync(refresh: false);
        world.Replicas.Count(pod => !pod.IsGated()).ShouldBe(1);
    }

    [Fact]
    public async Task A_replica_that_was_cut_off_half_let_go_is_finished()
    {
        using var world = new ServiceWorld(AService.Named().Nodes(2).Accelerators("H100:2").Build(), "n1", "n2");
        await world.ReconcileAsync();
        var releases = 0;
        world.Api.Intercept = (verb, plural) =>
        {
            if ((verb, plural) == ("patch", "pods") && Interlocked.Increment(ref releases) == 2) throw new HttpRequestException("cut off");
        };
        await Should.ThrowAsync<HttpRequestException>(() => world.ScheduleAsync());
        world.Replicas.Count(pod => pod.IsGated()).ShouldBe(1);
        world.Api.Intercept = null;
        await world.ScheduleAsync();
        world.Replicas.Select(pod => pod.Spec.NodeSelector!["kubernetes.io/hostname"]).ShouldBe(["n1", "n2"], ignoreOrder: true);
    }
}
