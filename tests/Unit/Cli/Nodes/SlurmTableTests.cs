using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Nodes;
using Trestle.Cli.Output;

namespace Trestle.Cli.Tests.Nodes;

public sealed class SlurmTableTests
{
    private static readonly DateTime Now = new(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Partitions_are_told_with_their_gpus_and_clusters_that_cant_be_reached_with_since_when()
    {
        var alps = Cluster("alps", new SlurmClusterStatus
        {
            Reachable = true,
            Partitions =
            [
                new SlurmPartition { Name = "gpu", Nodes = 4, MaxTime = "7-00:00:00", State = "up", Gpus = new SlurmGpus { Type = "h100", Total = 32, Free = 24 } },
                new SlurmPartition { Name = "cpu", Nodes = 1, MaxTime = "infinite", State = "down" },
            ],
        });
        var lost = Cluster("bern", new SlurmClusterStatus { Reachable = false, LastSeen = Now.AddMinutes(-5), Message = "connection refused", Partitions = [new SlurmPartition { Name = "a", Nodes = 2, State = "up" }] });
        var never = Cluster("cern", new SlurmClusterStatus { Reachable = false, Message = "no such host" });
        PlainTable.Render(SlurmTable.Build([never, lost, alps, Cluster("new", null)], Now)).ShouldBe(
            """
            SLURM   PARTITION   STATUS        GPU    FREE   TOTAL   NODES   LONGEST      NOTE
            alps    gpu         up            h100   24     32      4       7-00:00:00   -
            alps    cpu         down          none   -      -       1       infinite     -
            bern    a           unreachable   none   -      -       2       -            not reached since 5m ago: connection refused
            cern    -           unreachable   -      -      -       -       -            never reached: no such host
            new     -           unknown       -      -      -       -       -            no Slurm bridge has looked at it yet

            """);
    }

    private static SlurmCluster Cluster(string name, SlurmClusterStatus? status) => new() { Metadata = new V1ObjectMeta { Name = name }, Status = status };
}
