using System.Text;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Tests.Slurm;

public sealed class InventoryQueryTests
{
    [Theory]
    [InlineData("22.05")]
    [InlineData("24.11")]
    [InlineData("26.05")]
    public void The_recorded_partitions_of_every_version_are_read(string version)
    {
        var partitions = InventoryQuery.Partitions(Encoding.UTF8.GetBytes(Samples.Read(version, "scontrol-partition-node.txt")));
        partitions.ShouldBe(
        [
            new PartitionUse("gpu", "up", "7-00:00:00", 4, "h100", 32, 32),
            new PartitionUse("spot", "up", "1-00:00:00", 4, "h100", 32, 32),
            new PartitionUse("cpu", "up", "UNLIMITED", 1, null, 0, 0),
        ]);
    }

    [Theory]
    [InlineData("IDLE", "", 8)]
    [InlineData("MIXED", "cpu=2,gres/gpu=3", 5)]
    [InlineData("ALLOCATED+DRAIN", "cpu=2,gres/gpu=3", 0)]
    [InlineData("DOWN*", "", 0)]
    [InlineData("IDLE*", "", 0)]
    [InlineData("IDLE+MAINT", "", 0)]
    [InlineData("ALLOCATED", "cpu=2,gres/gpu=8,gres/gpu:h100=8", 0)]
    public void Only_nodes_that_take_jobs_have_free_gpus(string state, string used, int free) =>
        InventoryQuery.Partitions(Encoding.UTF8.GetBytes(
            $"PartitionName=p\n   State=UP MaxTime=1:00\n\nNodeName=n1 Arch=x86_64\n   Gres=gpu:h100:8(S:0-1)\n   State={state} ThreadsPerCore=1\n   Partitions=p\n   AllocTRES={used}\n   Reason=gres/gpu=99 State=IDLE\n"))
            .ShouldHaveSingleItem().FreeGpus.ShouldBe(free);

    [Theory]
    [InlineData("slurm-wlm 22.05.8\n", "22.05.8")]
    [InlineData("Welcome!\nslurm 24.11.3\n", "24.11.3")]
    [InlineData("sh: scontrol: not found", null)]
    public void The_version_is_read(string text, string? version) => InventoryQuery.Version(text).ShouldBe(version);

    [Theory]
    [InlineData("gpu[1-2]", "gpu1 gpu2")]
    [InlineData("gpu[1-2,7],cpu1", "gpu1 gpu2 gpu7 cpu1")]
    [InlineData("n[08-11]", "n08 n09 n10 n11")]
    [InlineData("r[1-2]n[1-2]", "r1n1 r1n2 r2n1 r2n2")]
    [InlineData("n[9-1]", "")]
    [InlineData("n[1-", "")]
    [InlineData("a]b", "")]
    [InlineData("", "")]
    public void Lists_of_nodes_are_expanded(string text, string names) => string.Join(' ', HostList.Expand(text)).ShouldBe(names);

    [Fact]
    public void An_endless_list_of_nodes_is_cut() => HostList.Expand("a[0-2000000000]b[0-2000000000]", 50).Count.ShouldBe(50);
}
