using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Tests.TrainingJobs;

public sealed class NodeAvoidanceTests
{
    [Fact]
    public void A_node_that_failed_twice_and_the_one_that_failed_last_are_avoided() =>
        NodeAvoidance.Of(Status([], ("n1", 1), ("n2", 2), ("n3", 1))).ShouldBe(["n2", "n3"], ignoreOrder: true);

    [Fact]
    public void A_node_that_is_kept_is_not_avoided() => NodeAvoidance.Of(Status(["n3", "n4"], ("n2", 2), ("n3", 1))).ShouldBe(["n2"]);

    [Fact]
    public void Nothing_is_avoided_before_anything_failed()
    {
        NodeAvoidance.Of(null).ShouldBeEmpty();
        NodeAvoidance.Of(Status([])).ShouldBeEmpty();
    }

    [Fact]
    public void A_job_that_fails_everywhere_avoids_a_few_nodes_and_always_the_last() =>
        Gen.Int[0, 9].Array[1, 60].Sample(failures =>
        {
            var avoided = NodeAvoidance.Of(Status([], [.. failures.Select((count, node) => ($"n{node}", count + 1))]));
            avoided.Count.ShouldBeLessThanOrEqualTo(8);
            avoided.ShouldContain($"n{failures.Length - 1}");
        });

    private static TrainingJobStatus Status(string[] kept, params (string Node, int Failures)[] nodes) => new()
    {
        Admission = new AdmissionStatus { Ranks = [.. kept.Select((node, rank) => new RankAssignment { Rank = rank, Node = node })] },
        Retry = new RetryStatus { Nodes = [.. nodes.Select(node => new NodeFailures { Node = node.Node, Failures = node.Failures })] },
    };
}
