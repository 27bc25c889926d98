using CsCheck;
using k8s.Models;
using Trestle.Local.Nodes.Scheduling;

namespace Trestle.Local.Nodes.Tests;

public sealed class PodPlacementTests
{
    private static readonly Dictionary<string, IReadOnlyDictionary<string, decimal>> Empty = [];

    [Fact]
    public void A_pod_goes_to_the_node_it_selects()
    {
        var pod = new APod().Main("main").Selecting("kubernetes.io/hostname", "node-1").Build();
        PodPlacement.Find(pod, [Node("node-0", 8), Node("node-1", 8)], Empty).Node.ShouldBe("node-1");
    }

    [Fact]
    public void What_is_missing_is_said_in_the_schedulers_words()
    {
        var pod = new APod().Main("main").Asking("nvidia.com/gpu", "16").Build();
        PodPlacement.Find(pod, [Node("node-0", 8), Node("node-1", 8)], Empty).Message.ShouldBe("0/2 nodes are available: 2 Insufficient nvidia.com/gpu.");
    }

    [Fact]
    public void A_failed_node_takes_no_pods_and_a_tolerated_taint_does_not_keep_one_away()
    {
        var tainted = Node("node-0", 8) with { Taints = [new V1Taint { Key = "gpu", Value = "yes", Effect = "NoSchedule" }] };
        var failed = Node("node-1", 8) with { Schedulable = false };
        var pod = new APod().Main("main").Build();
        PodPlacement.Find(pod, [tainted, failed], Empty).Node.ShouldBeNull();
        pod.Spec.Tolerations = [new V1Toleration { Key = "gpu", OperatorProperty = "Exists" }];
        PodPlacement.Find(pod, [tainted, failed], Empty).Node.ShouldBe("node-0");
    }

    [Fact]
    public void Init_containers_count_by_their_peak_and_sidecars_all_along()
    {
        var pod = new APod().Sidecar("s").Init("i").Main("main").Asking("cpu", "2").Build();
        pod.Spec.InitContainers[0].Resources = Cpu("1");
        pod.Spec.InitContainers[1].Resources = Cpu("5");
        Resources.Of(pod)["cpu"].ShouldBe(6);
        pod.Spec.InitContainers[1].Resources = Cpu("1");
        Resources.Of(pod)["cpu"].ShouldBe(3);
    }

    [Fact]
    public void No_sequence_of_pods_ever_oversubscribes_a_node()
    {
        var pods = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 5], Gen.Bool).Array[1, 40];
        Gen.Select(Gen.Int[1, 5], pods).Sample((count, asks) =>
        {
            var nodes = Enumerable.Range(0, count).Select(i => Node($"node-{i}", 8)).ToList();
            var used = nodes.ToDictionary(n => n.Name, _ => (IReadOnlyDictionary<string, decimal>)new Dictionary<string, decimal>());
            foreach (var (gpus, cpus, pinned) in asks)
            {
                var builder = new APod().Main("main").Asking("nvidia.com/gpu", $"{gpus}").Asking("cpu", $"{cpus}");
                if (pinned) builder.Selecting("kubernetes.io/hostname", "node-0");
                var pod = builder.Build();
                var place = PodPlacement.Find(pod, nodes, used);
                if (place.Node is null)
                {
                    var candidates = pinned ? nodes.Take(1) : nodes;
                    candidates.Any(n => used[n.Name].GetValueOrDefault("nvidia.com/gpu") + gpus <= 8 && used[n.Name].GetValueOrDefault("cpu") + cpus <= 16).ShouldBeFalse();
                    continue;
                }

                var sum = new Dictionary<string, decimal>(used[place.Node]);
                Resources.Add(sum, Resources.Of(pod));
                used[place.Node] = sum;
            }

            nodes.All(n => used[n.Name].All(u => u.Value <= n.Allocatable[u.Key])).ShouldBeTrue();
        }, iter: 2000);
    }

    private static V1ResourceRequirements Cpu(string amount) => new() { Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new(amount) } };

    private static NodeCapacity Node(string name, int gpus) => new(
        name, new Dictionary<string, string> { ["kubernetes.io/hostname"] = name }, [], true,
        new Dictionary<string, decimal> { ["nvidia.com/gpu"] = gpus, ["cpu"] = 16, ["memory"] = 1L << 36, ["pods"] = 110 });
}
