using System.Text.Json.Nodes;
using SlurmCluster = Trestle.Testing.Slurm.SlurmCluster;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>A real Slurm that holds jobs to the memory they asked for, by control groups.</summary>
[Collection(SlurmCollection.Name)]
public sealed class OutOfMemoryTests
{
    [Fact]
    public async Task A_rank_that_needs_more_memory_than_the_job_asked_for_is_told_so()
    {
        RealSlurm.Require();
        Assert.SkipUnless(SlurmCluster.HasControlGroups, "this machine has no memory control groups of version 1, and with version 2 Slurm wants systemd");
        await using var slurm = await SlurmCluster.StartAsync(inControlGroups: true);
        await using var world = await SlurmWorld.OpenAsync(slurm);
        await world.SubmitAsync("greedy", "[ $TRESTLE_NODE_RANK = 1 ] || exec sleep 60; exec /usr/bin/python3 -c 'import time; x = b\"x\" * (300 << 20); time.sleep(60)'",
            spec => spec["placement"]![0]!["slurm"]!["options"] = new JsonArray("--mem=50M"));
        var status = await world.UntilAsync("greedy", "Failed");
        ((string?)status["reason"], (int?)status["exit"]!["rank"], (int?)status["exit"]!["code"]).ShouldBe(("OutOfMemory", 1, 137));
        ((string?)status["message"]).ShouldNotBeNull().ShouldMatch("rank 1 on node gpu[1-4] of slurm/alps ran out of memory; raise spec.resources.memory");
        await world.SubmitAsync("modest", "exit 3", spec => spec["placement"]![0]!["slurm"]!["options"] = new JsonArray("--mem=50M"));
        ((string?)(await world.UntilAsync("modest", "Failed"))["reason"]).ShouldBe("RunFailed");
    }
}
