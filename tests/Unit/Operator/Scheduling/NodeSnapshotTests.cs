using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.Scheduling;

public sealed class NodeSnapshotTests
{
    [Fact]
    public void A_node_without_pods_has_all_of_its_allocatable()
    {
        var free = Take([Node("n1")], [], []).ShouldHaveSingleItem().Free;

        (free[PodRequests.Cpu], free[PodRequests.Memory], free[Names.GpuResource], free[PodRequests.Pods]).ShouldBe((3500, 64L << 30, 8, 110));
    }

    [Fact]
    public void Nodes_that_are_cordoned_leaving_or_not_ready_are_left_out() => Take(
        [
            Node("cordoned", node => node.Spec.Unschedulable = true),
            Node("leaving", node => node.Metadata.DeletionTimestamp = default(DateTime)),
            Node("lost", node => node.Status!.Conditions![0].Status = "Unknown"),
            Node("open"),
        ], [], []).ShouldHaveSingleItem().Name.ShouldBe("open");

    [Fact]
    public void Live_pods_count_and_ended_ones_do_not()
    {
        var job = AJob.Named("other").Build();
        var pods = new[]
        {
            APod.Of(job, 0).Running().With(Gpus(1)).Build(),
            APod.Of(job, 1).Running().Terminating(DateTimeOffset.UnixEpoch).With(Gpus(2)).Build(),
            APod.Of(job, 2).Succeeded().With(Gpus(4)).Build(),
        };

        Take([Node("n1")], pods, [])[0].Free[Names.GpuResource].ShouldBe(5);
    }

    [Fact]
    public void A_pod_that_is_released_and_pinned_counts_and_a_gated_one_does_not()
    {
        var job = AJob.Named("other").Build();
        var pods = new[]
        {
            APod.Of(job, 0).With(Pinned).With(Gpus(1)).Build(),
            APod.Of(job, 1).With(Pinned).Gated().With(Gpus(2)).Build(),
        };

        Take([Node("n1")], pods, [])[0].Free[Names.GpuResource].ShouldBe(7);
    }

    [Fact]
    public void Admitted_ranks_hold_their_node_until_their_pod_does()
    {
        var job = AJob.Named("a").Admitted(2, "n1", "n1", "n1").Build();
        var pods = new[]
        {
            APod.Of(job, 0, attempt: 2).Running().With(Gpus(2)).Build(),
            APod.Of(job, 1, attempt: 2).Gated().With(Gpus(2)).Build(),
            APod.Of(job, 2, attempt: 1).Succeeded().With(Gpus(2)).Build(),
        };

        Take([Node("n1")], pods, [job])[0].Free[Names.GpuResource].ShouldBe(2);
    }

    [Fact]
    public void A_rank_that_has_ended_gives_its_node_back()
    {
        var job = AJob.Named("a").Admitted(1, "n1", "n1").Running(DateTimeOffset.UnixEpoch).Build();

        Take([Node("n1")], [APod.Of(job, 0).Succeeded().Build(), APod.Of(job, 1).Running().With(Gpus(2)).Build()], [job])[0].Free[Names.GpuResource].ShouldBe(6);
    }

    [Fact]
    public void A_job_that_is_over_holds_nothing() =>
        Take([Node("n1")], [], [AJob.Named("a").Admitted(1, "n1").Phase(TrainingJobPhase.Failed).Build()])[0].Free[Names.GpuResource].ShouldBe(8);

    [Fact]
    public void Init_containers_count_where_they_ask_for_more_and_sidecars_always()
    {
        var pod = APod.Of(AJob.Named("a").Build()).Running().With(pod =>
        {
            pod.Spec.InitContainers = [Asks("1", restart: "Always"), Asks("500m"), Asks("2500m")];
            pod.Spec.Containers = [Asks("1"), Asks("250m")];
            pod.Spec.Overhead = new Dictionary<string, string> { ["cpu"] = "100m" };
        }).Build();

        PodRequests.Of(pod)[PodRequests.Cpu].ShouldBe(3600); // the sidecar with the largest init container, and the overhead
    }

    [Fact]
    public void A_limit_without_a_request_is_a_request()
    {
        var shape = Shape.Of(new V1PodSpec { Containers = [new V1Container { Resources = new V1ResourceRequirements { Limits = new Dictionary<string, ResourceQuantity> { ["memory"] = new("1Gi"), ["cpu"] = new("2") }, Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("1") } } }] });

        shape.Requests.ShouldBe([("cpu", 1000), ("memory", 1L << 30), ("pods", 1)]);
    }

    [Fact]
    public void Only_what_moves_capacity_is_worth_a_pass()
    {
        var pod = APod.Of(AJob.Named("a").Build());
        var gated = pod.Gated().Build();
        var running = APod.Of(AJob.Named("a").Build()).Running().Build();

        NodeSnapshot.Differs(null, gated).ShouldBeTrue();
        NodeSnapshot.Differs(gated, running).ShouldBeTrue();
        NodeSnapshot.Differs(running, APod.Of(AJob.Named("a").Build()).Running().Disrupted("x").Build()).ShouldBeFalse();
        NodeSnapshot.Differs(running, APod.Of(AJob.Named("a").Build()).Succeeded().Build()).ShouldBeTrue();
        NodeSnapshot.Differs(running, null).ShouldBeTrue();
    }

    private static IReadOnlyList<PassNode> Take(NodeView[] nodes, PodView[] pods, TrainingJob[] jobs) => NodeSnapshot.Take(nodes, pods, JobCards.Of(jobs, _ => Nodes.Gpus(2)).Holding, DateTimeOffset.UnixEpoch).Nodes;

    private static void Pinned(PodView pod) => pod.Spec.NodeSelector = new Dictionary<string, string> { ["kubernetes.io/hostname"] = "n1" };

    private static Action<PodView> Gpus(int count) => pod => pod.Spec.Containers =
        [new ContainerView { Resources = new ContainerResourcesView { Requests = new Dictionary<string, string> { [Names.GpuResource] = $"{count}" } } }];

    private static ContainerView Asks(string cpus, string? restart = null) => new()
    {
        RestartPolicy = restart,
        Resources = new ContainerResourcesView { Requests = new Dictionary<string, string> { ["cpu"] = cpus } },
    };

    private static NodeView Node(string name, Action<NodeView>? change = null)
    {
        var node = new NodeView
        {
            Metadata = new V1ObjectMeta { Name = name },
            Status = new NodeViewStatus
            {
                Allocatable = new Dictionary<string, string> { ["cpu"] = "3.5", ["memory"] = "64Gi", [Names.GpuResource] = "8" },
                Conditions = [new NodeConditionView { Type = "Ready", Status = "True" }],
            },
        };
        change?.Invoke(node);
        return node;
    }
}
