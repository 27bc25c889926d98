using CsCheck;
using Trestle.Api.Launch;
using Trestle.Operator.Scheduling;

namespace Trestle.Operator.Tests.Scheduling;

/// <summary>I2 and I3 over groups with <c>gang: AllOrNothing</c> whose tasks have shapes and topologies of their own.</summary>
public sealed class GroupTopologyProperties
{
    private const string Rack = "rack";

    private static readonly Gen<PassNode[]> SomeNodes =
        Gen.Select(Gen.OneOf("H100", "A100"), Gen.Long[0, 8], Gen.OneOf("r0", "r1", "r2", null)).Array[1, 10]
            .Select(nodes => nodes.Select((node, index) => InRack($"n{index}", node.Item1, node.Item2, node.Item3)).ToArray());

    private static readonly Gen<GangJob> SomeTask =
        Gen.Select(Gen.Int[1, 4], Gen.Long[1, 4], Gen.OneOf("H100", "A100"), Gen.OneOf<bool?>(true, true, false, null)).Select(task =>
            Nodes.Job("task", task.Item1, Nodes.Gpus(task.Item2, task.Item3)) with { TopologyKey = task.Item4 is null ? null : Rack, NeedsOneDomain = task.Item4 == true });

    private static readonly Gen<Gang[]> SomeGroups =
        SomeTask.Array[2, 4].Array[1, 5].Select(groups => groups.Select((tasks, index) => Group($"g{index}", tasks)).ToArray());

    [Fact]
    public void Every_task_that_needs_one_domain_has_it_and_a_group_starts_whole_or_not_at_all() =>
        Gen.Select(SomeNodes, SomeGroups).Sample(
            (nodes, groups) =>
            {
                var racks = nodes.ToDictionary(node => node.Name, node => node.Labels.GetValueOrDefault(Rack));
                var result = AdmissionPass.Run(nodes, groups);
                var admitted = result.Admitted.ToDictionary(job => job.Job.Job);
                foreach (var group in groups)
                {
                    var placed = group.Jobs.Where(job => admitted.ContainsKey(job.Job)).ToList();
                    placed.Count.ShouldBeOneOf(0, group.Jobs.Count);
                    foreach (var task in placed)
                    {
                        var on = admitted[task.Job].Nodes;
                        on.Count.ShouldBe(task.Nodes);
                        if (task.NeedsOneDomain) on.Select(node => racks[node].ShouldNotBeNull()).Distinct().ShouldHaveSingleItem();
                    }
                }

                foreach (var node in nodes)
                {
                    result.Admitted.Sum(job => job.Nodes.Count(name => name == node.Name) * job.Job.Shape.Requests.Single(request => request.Resource == Names.GpuResource).Amount)
                        .ShouldBeLessThanOrEqualTo(node.Allocatable[Names.GpuResource], node.Name);
                }
            },
            iter: 1000,
            print: pair => Describe(pair.Item1, pair.Item2));

    [Fact]
    public void A_group_whose_tasks_all_need_a_domain_starts_where_there_is_one_for_each() =>
        SomeTask.Array[2, 4].Sample(
            tasks =>
            {
                var group = Group("g", [.. tasks.Select(task => task with { TopologyKey = Rack, NeedsOneDomain = true })]);

                // In each rack room for the largest task of either type.
                var nodes = Enumerable.Range(0, tasks.Length).SelectMany(rack => (PassNode[])[InRack($"h{rack}", "H100", 16, $"r{rack}"), InRack($"a{rack}", "A100", 16, $"r{rack}")]).ToList();
                AdmissionPass.Run(nodes, [group]).Admitted.Count.ShouldBe(tasks.Length);
            },
            iter: 300,
            print: tasks => Describe([], [Group("g", tasks)]));

    [Fact]
    public void A_domain_that_is_only_preferred_keeps_no_group_waiting() =>
        Gen.Select(SomeNodes, Gen.Int[1, 4].Array[2, 4]).Sample(
            (nodes, ranks) =>
            {
                // Of one GPU a rank, so that where a task is put takes no room of the next one but what it uses.
                var group = Group("g", [.. ranks.Select(count => Nodes.Job("task", count, Nodes.Gpus(1)) with { TopologyKey = Rack })]);
                var room = nodes.Where(node => node.Labels[Labels.Accelerator] == "H100").Sum(node => node.Allocatable[Names.GpuResource]);
                AdmissionPass.Run(nodes, [group]).Admitted.Count.ShouldBe(room >= ranks.Sum() ? ranks.Length : 0);
            },
            iter: 300,
            print: pair => Describe(pair.Item1, []) + string.Join(',', pair.Item2));

    private static Gang Group(string name, IReadOnlyList<GangJob> tasks) =>
        Nodes.Together(name, [.. tasks.Select((task, index) => task with { Job = new(task.Job.Namespace, $"{name}-{index}"), Uid = $"{name}-{index}" })]);

    private static PassNode InRack(string name, string accelerator, long gpus, string? rack)
    {
        var node = Nodes.Node(name, accelerator, gpus);
        return rack is null ? node : new PassNode(name, new Dictionary<string, string>(node.Labels) { [Rack] = rack }, [], node.Allocatable.ToDictionary());
    }

    private static string Describe(PassNode[] nodes, Gang[] groups) => string.Join('\n', [
        .. nodes.Select(node => $"{node.Name}: {node.Labels[Labels.Accelerator]} {node.Allocatable[Names.GpuResource]} in {node.Labels.GetValueOrDefault(Rack)}"),
        .. groups.SelectMany(group => group.Jobs.Select(job => $"{job.Job.Name}: {job.Nodes} x {job.Shape.Requests.First(request => request.Resource == Names.GpuResource).Amount} {job.Shape.Accelerator} rack {job.TopologyKey is not null} required {job.NeedsOneDomain}")),
    ]);
}
