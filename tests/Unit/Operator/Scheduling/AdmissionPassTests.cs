using Trestle.Api.Launch;
using Trestle.Operator.Scheduling;
using static Trestle.Operator.Tests.Scheduling.Nodes;

namespace Trestle.Operator.Tests.Scheduling;

public sealed class AdmissionPassTests
{
    [Fact]
    public void A_job_that_fits_gets_a_node_for_every_rank()
    {
        var result = AdmissionPass.Run([H100("n1"), H100("n2")], [Gang("a", 2, Gpus(8))]);

        result.Waiting.ShouldBeEmpty();
        result.Admitted.ShouldHaveSingleItem().Nodes.ShouldBe(["n1", "n2"]);
    }

    [Fact]
    public void Small_jobs_fill_used_nodes_and_leave_whole_ones_whole()
    {
        var result = AdmissionPass.Run([H100("n1"), H100("n2", free: 2), H100("n3")], [Gang("a", 1, Gpus(2)), Gang("b", 2, Gpus(8), minute: 1)]);

        result.Admitted.Select(admitted => string.Join(",", admitted.Nodes)).ShouldBe(["n2", "n1,n3"]);
    }

    [Fact]
    public void Priority_goes_before_time_and_time_before_uid()
    {
        var result = AdmissionPass.Run([H100("n1")], [Gang("c", 1, Gpus(8), minute: 1), Gang("b", 1, Gpus(8)), Gang("a", 1, Gpus(8)), Gang("z", 1, Gpus(8), priority: 1, minute: 9)]);

        result.Admitted.ShouldHaveSingleItem().Job.Job.Name.ShouldBe("z");
        result.Waiting.Select(waiting => waiting.Gang.Uid).ShouldBe(["a", "b", "c"]);
        result.Waiting.Select(waiting => waiting.Position).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public void A_gang_that_was_cut_off_half_admitted_goes_before_all_others() =>
        AdmissionPass.Run([H100("n1")], [Gang("a", 1, Gpus(8), priority: 9), Gang("b", 1, Gpus(8)) with { Begun = true }])
            .Admitted.ShouldHaveSingleItem().Job.Job.Name.ShouldBe("b");

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(5, 4)]
    public void A_job_that_may_shrink_gets_as_many_nodes_as_there_are(int there, int given)
    {
        PassNode[] nodes = [.. Enumerable.Range(0, there).Select(node => H100($"n{node}"))];
        var result = AdmissionPass.Run(nodes, [Together("a", Job("a", 4, Gpus(8)) with { Fewest = 2 })]);

        result.Admitted.Sum(admitted => admitted.Nodes.Count).ShouldBe(given);
    }

    [Fact]
    public void A_job_that_does_not_fit_is_passed_by_one_that_does()
    {
        var result = AdmissionPass.Run([H100("n1")], [Gang("large", 2, Gpus(8)), Gang("small", 1, Gpus(4), minute: 1)]);

        result.Admitted.ShouldHaveSingleItem().Job.Job.Name.ShouldBe("small");
    }

    [Fact]
    public void A_group_is_told_of_its_own_task_whoever_else_waits_like_it()
    {
        PassNode[] nodes = [H100("n1"), H100("n2", free: 0)];
        var result = AdmissionPass.Run(nodes, [Together("a", Job("a-eval", 1, Gpus(1)), Job("a-train", 2, Gpus(8))), Together("b", Job("b-eval", 1, Gpus(1)), Job("b-train", 2, Gpus(8)))]);

        result.Waiting.Select(waiting => waiting.Reason[..waiting.Reason.IndexOf(':', StringComparison.Ordinal)]).ShouldBe(["a-train", "b-train"]);
    }

    [Fact]
    public void Jobs_of_a_group_get_nodes_together_or_not_at_all()
    {
        PassNode[] nodes = [H100("n1"), H100("n2", free: 0)];
        var result = AdmissionPass.Run(nodes, [Together("g", Job("g-eval", 1, Gpus(1)), Job("g-train", 2, Gpus(8))), Gang("other", 1, Gpus(8), minute: 1)]);

        result.Admitted.ShouldHaveSingleItem().Job.Job.Name.ShouldBe("other");
        result.Waiting.ShouldHaveSingleItem().Reason.ShouldBe("g-train: waiting for 16 H100, 8 free; the tasks of the group start together");
    }

    [Fact]
    public void What_a_gang_could_not_use_alone_goes_to_the_next()
    {
        var result = AdmissionPass.Run([H100("n1")], [Together("g", Job("g-a", 1, Gpus(8)), Job("g-b", 1, Gpus(8))), Gang("other", 1, Gpus(8), minute: 1)]);

        result.Admitted.ShouldHaveSingleItem().Job.Job.Name.ShouldBe("other");
    }

    [Fact]
    public void The_task_with_the_least_choice_chooses_first() =>
        AdmissionPass.Run([H100("n1"), Node("n2", null, 0)], [Together("g", Job("g-eval", 1, Cpus(64)), Job("g-train", 1, new Shape(new Dictionary<string, long> { [Names.GpuResource] = 8, [PodRequests.Cpu] = 1000 })))])
            .Admitted.ToDictionary(admitted => admitted.Job.Job.Name, admitted => admitted.Nodes[0]).ShouldBe(new Dictionary<string, string> { ["g-train"] = "n1", ["g-eval"] = "n2" }, ignoreOrder: true);

    [Fact]
    public void A_node_that_failed_the_job_is_avoided_while_others_fit()
    {
        AdmissionPass.Run([H100("n1"), H100("n2")], [Gang("a", 1, Gpus(8), avoid: "n1")]).Admitted[0].Nodes.ShouldBe(["n2"]);
        AdmissionPass.Run([H100("n1"), H100("n2")], [Gang("a", 2, Gpus(8), avoid: "n1")]).Admitted[0].Nodes.ShouldBe(["n1", "n2"]);
    }

    [Theory]
    [InlineData(2, 8, "H100", "waiting for 16 H100, 8 free")]
    [InlineData(1, 9, "H100", "asks for 9 H100 on one node; the largest node has 8")]
    [InlineData(3, 8, "H100", "asks for 3 nodes with 8 H100 each; the cluster has 2")]
    [InlineData(1, 8, "H100", "waiting for 1 node with 8 H100, 0 free")]
    [InlineData(1, 1, "A100", "asks for A100, and no ready node has it")]
    public void The_reason_names_what_is_missing(int nodes, long gpus, string accelerator, string reason) =>
        AdmissionPass.Run([H100("n1", free: 4), H100("n2", free: 4)], [Gang("a", nodes, Gpus(gpus, accelerator))]).Waiting[0].Reason.ShouldBe(reason);

    [Fact]
    public void The_reason_tells_of_processors_and_memory_in_their_units()
    {
        var shape = new Shape(new Dictionary<string, long> { [PodRequests.Cpu] = 1500, [PodRequests.Memory] = 3L << 29, [PodRequests.Pods] = 1 });
        PassNode node = new("n1", new Dictionary<string, string>(), [], new Dictionary<string, long> { [PodRequests.Cpu] = 2000, [PodRequests.Memory] = 8L << 30, [PodRequests.Pods] = 9 });

        AdmissionPass.Run([node], [Gang("a", 1, shape), Gang("b", 1, shape, minute: 1)]).Waiting[0].Reason.ShouldBe("waiting for 1.5 CPUs, 0.5 free");
        AdmissionPass.Run([node], [Gang("a", 1, new Shape(new Dictionary<string, long> { [PodRequests.Memory] = 9L << 30 }))]).Waiting[0].Reason
            .ShouldBe("asks for 9Gi of memory on one node; the largest node has 8Gi");
    }

    [Fact]
    public void Without_a_ready_node_everybody_waits() =>
        AdmissionPass.Run([], [Gang("a", 1, Cpus(1))]).Waiting[0].Reason.ShouldBe("no node is ready to take pods");
}
