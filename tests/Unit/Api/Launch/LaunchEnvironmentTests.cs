using System.Diagnostics;
using System.Text.Json.Nodes;
using CsCheck;
using Trestle.Api.Launch;

namespace Trestle.Api.Tests.Launch;

public sealed class LaunchEnvironmentTests
{
    private static readonly LaunchFacts Facts = new("train", "4c1f", Attempt: 2, ["10.0.0.1", "10.0.0.2"], GpusPerNode: 8, HeadPort: 20123)
    {
        Namespace = "research",
        Group = "rl",
        Task = "trainer",
        TaskIndex = 0,
        TaskCount = 2,
        CheckpointDirectory = "/checkpoints",
    };

    [Theory]
    [InlineData("TRESTLE_NODE_RANK", "1")]
    [InlineData("SKYPILOT_NODE_RANK", "1")]
    [InlineData("PET_NODE_RANK", "1")]
    [InlineData("NODE_RANK", "1")]
    [InlineData("TRESTLE_NODE_IPS", "10.0.0.1\n10.0.0.2")]
    [InlineData("SKYPILOT_NODE_IPS", "10.0.0.1\n10.0.0.2")]
    [InlineData("TRESTLE_NODE_IP", "10.0.0.2")]
    [InlineData("TRESTLE_NUM_NODES", "2")]
    [InlineData("PET_NNODES", "2")]
    [InlineData("SKYPILOT_NUM_GPUS_PER_NODE", "8")]
    [InlineData("PET_NPROC_PER_NODE", "8")]
    [InlineData("MASTER_ADDR", "10.0.0.1")]
    [InlineData("PET_MASTER_PORT", "20123")]
    [InlineData("TRESTLE_TASK_ID", "trestle-research-train-4c1f")]
    [InlineData("TRESTLE_ATTEMPT", "2")]
    [InlineData("SKYPILOT_JOBGROUP_NAME", "rl")]
    [InlineData("TRESTLE_TASK", "trainer")]
    [InlineData("SKYPILOT_NUM_JOBS", "2")]
    [InlineData("TRESTLE_CHECKPOINT_DIR", "/checkpoints")]
    public void The_contract_has(string name, string value) => Of(Facts, 1)[name].ShouldBe(value);

    [Fact]
    public void Without_GPUs_torchrun_chooses_how_many_processes_it_starts()
    {
        var variables = Of(Facts with { GpusPerNode = 0 }, 0);
        variables["TRESTLE_NUM_GPUS_PER_NODE"].ShouldBe("0");
        variables.ShouldNotContainKey("PET_NPROC_PER_NODE");
    }

    [Fact]
    public void A_job_by_itself_is_in_no_group()
    {
        var variables = Of(new LaunchFacts("solo", "u", 1, ["10.0.0.1"], 0, 20000), 0);
        variables.ShouldNotContainKey("TRESTLE_JOB_GROUP");
        variables.ShouldNotContainKey("TRESTLE_CHECKPOINT_DIR");
    }

    [Fact]
    public void The_address_of_a_service_is_named_after_its_task()
    {
        var variables = Of(Facts with { Services = [new ServiceFacts("roll-out", "http://r", "http://w", "m", 3) { EndpointsFile = "/e" }] }, 0);
        variables["TRESTLE_ROLL_OUT_ENDPOINTS"].ShouldBe("/e");
        (variables["TRESTLE_ROLL_OUT_URL"], variables["TRESTLE_ROLL_OUT_WEIGHTS_URL"], variables["TRESTLE_ROLL_OUT_MODEL"], variables["TRESTLE_ROLL_OUT_REPLICAS"])
            .ShouldBe(("http://r", "http://w", "m", "3"));
    }

    [Fact]
    public void Every_rank_is_told_the_same_but_its_own_place() =>
        Of(Facts, 0).Except(Of(Facts, 1)).Select(pair => pair.Key).Order(StringComparer.Ordinal).ShouldBe(
            ["NODE_RANK", "PET_NODE_RANK", "SKYPILOT_NODE_RANK", "SKYPILOT_SETUP_NODE_RANK", "TRESTLE_NODE_IP", "TRESTLE_NODE_RANK"]);

    [Fact]
    public void The_next_attempt_keeps_the_task_id_and_changes_what_ranks_meet_by()
    {
        var (before, after) = (Of(Facts, 0), Of(Facts with { Attempt = 3 }, 0));
        after["TRESTLE_TASK_ID"].ShouldBe(before["TRESTLE_TASK_ID"]);
        after["PET_RDZV_ID"].ShouldNotBe(before["PET_RDZV_ID"]);
    }

    [Fact]
    public void The_head_port_stays_in_its_range_and_changes_with_the_attempt() =>
        Gen.Select(Gen.String, Gen.Int[1, 100000]).Sample((uid, attempt) =>
        {
            var port = LaunchEnvironment.HeadPort(uid, attempt);
            port.ShouldBeInRange(LaunchEnvironment.FirstHeadPort, LaunchEnvironment.FirstHeadPort + LaunchEnvironment.HeadPorts - 1);
            LaunchEnvironment.HeadPort(uid, attempt + 1).ShouldNotBe(port);
        });

    [Fact]
    public void Cluster_info_is_JSON_with_the_place() =>
        JsonNode.Parse(Of(Facts with { Backend = "slurm/alps" }, 0)["SKYPILOT_CLUSTER_INFO"])!["region"]!.GetValue<string>().ShouldBe("alps");

    [Fact]
    public void Whatever_a_value_holds_sh_reads_it_back()
    {
        string[] values = ["", "a b", "it's", "$HOME `id` $(id)", "two\nlines\n", "\\", "\"", "é漢", "'; exit 1; '", "!*?[a]~"];
        var script = LaunchEnvironment.Render(values.Select((value, index) => KeyValuePair.Create($"V{index}", value)))
            + string.Concat(values.Select((_, index) => $"printf '%s\\0' \"$V{index}\"\n"));
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", script }, RedirectStandardOutput = true, UseShellExecute = false })!;
        shell.StandardOutput.ReadToEnd().Split('\0')[..^1].ShouldBe(values);
        shell.WaitForExit();
        shell.ExitCode.ShouldBe(0);
    }

    private static Dictionary<string, string> Of(LaunchFacts facts, int rank) =>
        LaunchEnvironment.Build(facts, rank).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
}
