using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>recovery.hangTimeout with real processes, sidecars and heartbeats.</summary>
public sealed class HangTests : IAsyncLifetime
{
    private LocalPlane? _plane;

    private LocalPlane Plane => _plane ?? throw new InvalidOperationException("the plane has not started");

    public async ValueTask InitializeAsync() => _plane = await LocalPlane.StartAsync(nodes: 2);

    public ValueTask DisposeAsync() => _plane?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task A_job_that_hangs_is_restarted_and_one_with_quiet_ranks_is_not()
    {
        // Rank 1 says that it lives, once; rank 0 goes on writing.
        await StartAsync("stops", """
            [ "$TRESTLE_ATTEMPT" = 1 ] || exit 0
            if [ "$TRESTLE_NODE_RANK" = 1 ]; then touch "$TRESTLE_HEARTBEAT_FILE"; exec sleep 600; fi
            while :; do echo working; sleep 1; done
            """);
        // Rank 1 waits for ever, and so does rank 0 for it.
        await StartAsync("silent", """
            [ "$TRESTLE_ATTEMPT" = 1 ] || exit 0
            echo started
            exec sleep 600
            """);
        // Rank 1 has nothing to say, for longer than the timeout.
        await StartAsync("quiet", """
            [ "$TRESTLE_NODE_RANK" = 0 ] || exec sleep 25
            for turn in $(seq 25); do echo "turn $turn"; sleep 1; done
            """);

        await ShouldSucceedAsync("stops", attempt: 2, "rank 1 on node node-");
        await ShouldSucceedAsync("silent", attempt: 2, "no rank has shown a sign of life for ");
        await ShouldSucceedAsync("quiet", attempt: 1, hung: null);
        (await Plane.TrestleAsync("logs", "quiet", "--rank", "0")).ShouldExit(0).Out.ShouldContain("turn 25");
    }

    private async Task StartAsync(string name, string run)
    {
        var job = new JsonObject
        {
            ["apiVersion"] = "trestle.dev/v1alpha1",
            ["kind"] = "TrainingJob",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject
            {
                ["nodes"] = 2,
                ["run"] = run,
                ["recovery"] = new JsonObject { ["maxRestarts"] = 1, ["hangTimeout"] = "10s", ["backoff"] = new JsonObject { ["initial"] = "1s" } },
            },
        };
        (await Plane.KubectlAsync("create", "-f", Plane.Files.Write(name + ".json", job.ToJsonString()))).ShouldExit(0);
    }

    private async Task ShouldSucceedAsync(string name, int attempt, string? hung)
    {
        var status = (await Plane.PhaseAsync("trainingjobs", name, ["Succeeded", "Failed"], TimeSpan.FromSeconds(120)))["status"]!;
        ((string?)status["phase"], (int)status["attempt"]!).ShouldBe(("Succeeded", attempt), await Plane.ExplainAsync());
        ((int?)status["restarts"]?["counted"]).ShouldBe(hung is null ? null : 1);
        ((string?)status["retry"]?["reason"]).ShouldBe(hung is null ? null : "Hung");
        var events = await Plane.ListAsync("api/v1/namespaces/default/events");
        var told = events.Where(told => (string?)told["involvedObject"]?["name"] == name).ToList();
        told.Count(told => (string?)told["reason"] == "Hung" && ((string)told["message"]!).StartsWith(hung ?? "", StringComparison.Ordinal)).ShouldBe(hung is null ? 0 : 1, await Plane.ExplainAsync());
        told.ShouldNotContain(told => (string?)told["reason"] == "Unsupported");
    }
}
