using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>The published group, undisturbed and with each part of the system killed in the middle of training.</summary>
public sealed class PublishedGroupTests(FourNodes nodes) : IClassFixture<FourNodes>
{
    private LocalPlane Plane => nodes.Plane;

    [Fact]
    public async Task The_group_trains_and_launches_an_evaluation_for_every_checkpoint()
    {
        var group = new TrainEvalGroup(Plane, "plain");
        await group.LaunchAsync();
        var ended = await group.EndAsync();

        await group.ShouldHoldTheUndisturbedModelAsync();
        (await group.TrainerAttemptAsync()).ShouldBe(1);
        var tasks = ended["status"]!["tasks"]!.AsArray().OfType<JsonNode>().ToDictionary(task => (string)task["name"]!, task => (string?)task["phase"]);
        tasks["trainer"].ShouldBe("Succeeded");
        var launched = ended["status"]!["launched"]!.AsArray().OfType<JsonNode>().Select(job => (string)job["name"]!).ToList();
        launched.ShouldBeUnique();
        launched.ShouldContain("plain-eval-000020");
        File.Exists(Path.Combine(group.Store, "evals", "000020.json")).ShouldBeTrue();
        await group.ShouldLeaveNothingAsync();
    }

    [Fact]
    public async Task A_killed_operator_changes_nothing()
    {
        var group = await InMidTrainingAsync("operator-killed");
        await Plane.KillAsync(PlanePart.Operator);
        await group.EndAsync();

        await group.ShouldHoldTheUndisturbedModelAsync();
        (await group.TrainerAttemptAsync()).ShouldBe(1);
        await group.ShouldLeaveNothingAsync();
    }

    [Fact]
    public async Task A_killed_API_server_comes_back_from_its_journal()
    {
        var group = await InMidTrainingAsync("api-killed");
        var before = (await Plane.TrainingJobAsync(group.Trainer))!["metadata"]!["uid"]!.GetValue<string>();
        await Plane.KillAsync(PlanePart.Api);
        await group.EndAsync();

        (await Plane.TrainingJobAsync(group.Trainer))!["metadata"]!["uid"]!.GetValue<string>().ShouldBe(before);
        await group.ShouldHoldTheUndisturbedModelAsync();
        (await group.TrainerAttemptAsync()).ShouldBe(1);
        await group.ShouldLeaveNothingAsync();
    }

    [Fact]
    public async Task A_killed_node_agent_adopts_its_processes_again()
    {
        var group = await InMidTrainingAsync("agent-killed");
        await Plane.KillAsync(PlanePart.Nodes);
        await group.EndAsync();

        await group.ShouldHoldTheUndisturbedModelAsync();
        (await group.TrainerAttemptAsync()).ShouldBe(1);
        await group.ShouldLeaveNothingAsync();
    }

    [Fact]
    public async Task A_killed_rank_restarts_the_gang_from_its_checkpoint()
    {
        var group = await InMidTrainingAsync("rank-killed");
        Processes.Signal(RankProcesses(group, 2).First().Id, "KILL");
        await group.EndAsync();

        await group.ShouldHoldTheUndisturbedModelAsync();
        (await group.TrainerAttemptAsync()).ShouldBe(2);
        await group.ShouldLeaveNothingAsync();
    }

    [Fact]
    public async Task A_failed_node_restarts_the_gang_when_the_node_is_back()
    {
        var group = await InMidTrainingAsync("node-failed");
        var node = await NodeOfRankAsync(group, 1);
        foreach (var process in RankProcesses(group, 1)) Processes.Signal(process.Id, "STOP"); // the training can't end before the node does
        (await Plane.TrestleAsync("local", "node", "fail", node, "--state", Plane.State)).ShouldExit(0);
        try
        {
            await Plane.UntilAsync("the trainer waits for four nodes", async () =>
                (string?)(await Plane.TrainingJobAsync(group.Trainer))!["status"]!["phase"] is "Restarting" or "Queued");
        }
        finally
        {
            // The other tests need it as well.
            (await Plane.TrestleAsync("local", "node", "restore", node, "--state", Plane.State)).ShouldExit(0);
        }

        await group.EndAsync();

        await group.ShouldHoldTheUndisturbedModelAsync();
        (await group.TrainerAttemptAsync()).ShouldBeGreaterThan(1);
        await group.ShouldLeaveNothingAsync();
    }

    private async Task<TrainEvalGroup> InMidTrainingAsync(string name)
    {
        var group = new TrainEvalGroup(Plane, name);
        await group.LaunchAsync();
        await group.FirstCheckpointAsync();
        return group;
    }

    private IEnumerable<RunningProcess> RankProcesses(TrainEvalGroup group, int rank) => Plane.RankProcesses(rank, "train.py")
        .Where(process => process.Has("TRESTLE_JOB_GROUP", group.Name) && Path.GetFileName(process.CommandLine.Split('\0')[0]).StartsWith("python3", StringComparison.Ordinal));

    private async Task<string> NodeOfRankAsync(TrainEvalGroup group, int rank) =>
        (string)(await Plane.GetAsync($"api/v1/namespaces/default/pods/{group.Trainer}-{rank}-a1"))!["spec"]!["nodeName"]!;
}
