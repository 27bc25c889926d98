using CsCheck;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Operator.Scheduling;

namespace Trestle.Operator.Tests.Scheduling;

/// <summary>The invariants of scheduling.md, against a count that knows nothing of how the pass works.</summary>
public sealed class AdmissionPassProperties
{
    private static readonly Gen<PassNode[]> SomeNodes =
        Gen.Select(Gen.OneOf("H100", "A100", null), Gen.Long[0, 8], Gen.Long[0, 16], Gen.OneOf(null, null, "dedicated"))
            .Array[0, 7].Select(nodes => nodes.Select((node, index) => Nodes.Node($"n{index}", node.Item1, node.Item2, node.Item3, node.Item4)).ToArray());

    private static readonly Gen<Shape> SomeShape =
        Gen.Select(Gen.OneOf("H100", "A100", null), Gen.Long[0, 9], Gen.Long[0, 9], Gen.Bool).Select((accelerator, gpus, cpus, tolerates) => new Shape(
            new Dictionary<string, long> { [Names.GpuResource] = gpus, [PodRequests.Cpu] = cpus * 1000, [PodRequests.Pods] = 1 },
            accelerator is null ? null : new Dictionary<string, string> { [Labels.Accelerator] = accelerator },
            tolerates ? [new V1Toleration { Key = "dedicated", OperatorProperty = "Exists" }] : null));

    private static readonly Gen<Gang[]> SomeGangs =
        Gen.Select(Gen.Select(Gen.Int[1, 5], SomeShape, Gen.Int[0, 6]).Array[1, 3], Gen.Int[-1, 1], Gen.Int[0, 3]).Array[0, 12].Select(gangs => gangs.Select((gang, index) => new Gang(
            $"g{index:00}", gang.Item2, new DateTime(2026, 1, 1, 0, gang.Item3, 0, DateTimeKind.Utc),
            [.. gang.Item1.Select((job, task) => Nodes.Job($"g{index:00}-{task}", job.Item1, job.Item2, $"n{job.Item3}"))])).ToArray());

    [Fact]
    public void No_node_gives_more_than_it_has() => Check((nodes, _, result) =>
    {
        foreach (var (node, left) in nodes.Zip(Left(nodes, result))) left.Values.ShouldAllBe(amount => amount >= 0, $"{node.Name} is oversubscribed");
    });

    [Fact]
    public void A_gang_has_all_its_ranks_or_none_and_is_told_of_once() => Check((_, gangs, result) =>
    {
        var admitted = result.Admitted.ToDictionary(job => job.Job.Job);
        foreach (var gang in gangs)
        {
            var placed = gang.Jobs.Count(job => admitted.ContainsKey(job.Job));
            placed.ShouldBeOneOf(0, gang.Jobs.Count);
            result.Waiting.Count(waiting => waiting.Gang == gang).ShouldBe(placed == 0 ? 1 : 0);
        }

        foreach (var job in result.Admitted) job.Nodes.Count.ShouldBe(job.Job.Nodes);
    });

    [Fact]
    public void Ranks_are_only_on_nodes_with_their_labels_and_tolerated_taints() => Check((nodes, _, result) =>
    {
        var byName = nodes.ToDictionary(node => node.Name);
        foreach (var (job, name) in result.Admitted.SelectMany(job => job.Nodes.Select(name => (job.Job, name))))
        {
            if (job.Shape.Accelerator is { } accelerator) byName[name].Labels[Labels.Accelerator].ShouldBe(accelerator);
            if (job.Shape.Tolerations.Count == 0) byName[name].Taints.ShouldBeEmpty();
        }
    });

    [Fact]
    public void No_job_waits_that_fits_into_what_is_left() => Check((nodes, _, result) =>
    {
        var left = Left(nodes, result);
        foreach (var job in result.Waiting.Where(waiting => waiting.Gang.Jobs.Count == 1).Select(waiting => waiting.Gang.Jobs[0]))
        {
            var room = nodes.Zip(left).Where(pair => Suits(pair.First, job.Shape)).Sum(pair => job.Shape.Requests.Min(request => pair.Second[request.Resource] / request.Amount));
            room.ShouldBeLessThan(job.Nodes);
        }
    });

    [Fact]
    public void Who_waits_is_numbered_by_importance_and_told_why() => Check((_, _, result) =>
    {
        result.Waiting.Select(waiting => waiting.Position).ShouldBe(Enumerable.Range(1, result.Waiting.Count));
        result.Waiting.Select(waiting => waiting.Gang).ShouldBe(result.Waiting.Select(waiting => waiting.Gang).OrderByDescending(gang => gang.Priority).ThenBy(gang => gang.QueuedAt).ThenBy(gang => gang.Uid, StringComparer.Ordinal));
        result.Waiting.ShouldAllBe(waiting => waiting.Reason.Length > 0);
    });

    private static void Check(Action<PassNode[], Gang[], PassResult> holds) =>
        Gen.Select(SomeNodes, SomeGangs).Sample((nodes, gangs) => holds(nodes, gangs, AdmissionPass.Run(nodes, gangs)), iter: 1000, print: pair => $"{pair.Item1.Length} nodes, {string.Join("; ", pair.Item2.Select(gang => gang.ToString()))}");

    private static List<Dictionary<string, long>> Left(PassNode[] nodes, PassResult result)
    {
        var left = nodes.ToDictionary(node => node.Name, node => new Dictionary<string, long>(node.Allocatable));
        foreach (var job in result.Admitted)
        {
            foreach (var name in job.Nodes)
            {
                foreach (var (resource, amount) in job.Job.Shape.Requests) left[name][resource] -= amount;
            }
        }

        return [.. nodes.Select(node => left[node.Name])];
    }

    private static bool Suits(PassNode node, Shape shape) =>
        (shape.Accelerator is null || node.Labels.GetValueOrDefault(Labels.Accelerator) == shape.Accelerator) && (shape.Tolerations.Count > 0 || node.Taints.Count == 0);
}
