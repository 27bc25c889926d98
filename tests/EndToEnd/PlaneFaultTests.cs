using System.Globalization;
using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>Whatever part of the plane is killed: what runs goes on, nothing is lost, nothing is left. With plain pods.</summary>
public sealed class PlaneFaultTests
{
    [Fact]
    public async Task Containers_outlive_any_part_of_the_plane_and_lose_no_line()
    {
        await using var plane = await LocalPlane.StartAsync(nodes: 1);
        PlanePart[][] rounds = [[PlanePart.Nodes], [PlanePart.Api], [PlanePart.Api, PlanePart.Nodes, PlanePart.Operator]];
        foreach (var round in rounds)
        {
            var name = "count-" + string.Concat(round).ToLowerInvariant();
            await CreateAsync(plane, name, "i=0; until [ -e /files/$HOSTNAME.go ]; do i=$((i+1)); echo line $i; sleep 0.01; done; i=$((i+1)); echo line $i; exit 7");
            await plane.UntilAsync("it counts", async () => (await LogAsync(plane, name)).Length > 3);
            await Task.WhenAll(round.Select(plane.KillAsync));
            var before = (await PatientLogAsync(plane, name)).Length;
            await plane.UntilAsync("it still counts", async () => (await LogAsync(plane, name)).Length > before);
            plane.Files.Write(name + ".go", "");
            var ended = await EndAsync(plane, name);
            ((int?)ended["status"]!["containerStatuses"]![0]!["state"]!["terminated"]!["exitCode"]).ShouldBe(7);
            ((int?)ended["status"]!["containerStatuses"]![0]!["restartCount"]).ShouldBe(0);
            var lines = await LogAsync(plane, name);
            lines.ShouldBe([.. Enumerable.Range(1, lines.Length).Select(i => string.Create(CultureInfo.InvariantCulture, $"line {i}"))]);
        }
    }

    [Fact]
    public async Task A_failed_node_takes_its_pods_along_and_comes_back_empty()
    {
        await using var plane = await LocalPlane.StartAsync(nodes: 2);
        await CreateAsync(plane, "doomed", "echo up; sleep 1000", node: "node-1");
        await CreateAsync(plane, "spared", "echo up; sleep 1000", node: "node-0");
        foreach (var name in new[] { "doomed", "spared" }) await plane.UntilAsync($"{name} runs", async () => (await LogAsync(plane, name)).Length == 1);

        (await plane.TrestleAsync("local", "node", "fail", "node-1", "--state", plane.State)).ShouldExit(0);
        var ended = await EndAsync(plane, "doomed");
        ((string?)ended["status"]!["phase"]).ShouldBe("Failed");
        Condition(ended, "DisruptionTarget").ShouldBe("True");
        Condition((await plane.GetAsync("api/v1/nodes/node-1"))!, "Ready").ShouldNotBe("True");
        Condition((await PodAsync(plane, "spared"))!, "Ready").ShouldBe("True");

        await CreateAsync(plane, "next", "echo back", node: "node-1");
        await plane.UntilAsync("next waits for its node", async () => Condition((await PodAsync(plane, "next"))!, "PodScheduled") == "False");
        (await plane.TrestleAsync("local", "node", "restore", "node-1", "--state", plane.State)).ShouldExit(0);
        ((string?)(await EndAsync(plane, "next"))["status"]!["phase"]).ShouldBe("Succeeded");
        (await plane.TrestleAsync("local", "node", "fail", "node-9", "--state", plane.State)).Error.ShouldContain("node-0, node-1");
    }

    [Fact]
    public async Task Without_its_supervisor_the_plane_ends_and_the_next_start_says_what_was_lost()
    {
        await using var plane = await LocalPlane.StartAsync(nodes: 1);
        await CreateAsync(plane, "lost", "echo up; sleep 1000");
        await plane.UntilAsync("it runs", async () => (await LogAsync(plane, "lost")).Length == 1);
        Processes.Signal(plane.ProcessId(PlanePart.Supervisor), "KILL");
        await Trestle.Testing.Condition.UntilAsync("every part ended by itself", () => Processes.Naming(plane.State).Count == 0);

        (await plane.TrestleAsync("local", "up", "--detach", "--state", plane.State)).ShouldExit(0);
        var ended = await EndAsync(plane, "lost");
        ((string?)ended["status"]!["phase"]).ShouldBe("Failed");
        Condition(ended, "DisruptionTarget").ShouldBe("True");
    }

    [Fact]
    public async Task When_all_is_killed_at_once_the_next_start_or_stop_cleans_up()
    {
        await using var plane = await LocalPlane.StartAsync(nodes: 1);
        foreach (var command in new[] { "up", "down" })
        {
            await CreateAsync(plane, "before-" + command, "echo up; sleep 1000");
            await plane.UntilAsync("it runs", async () => (await LogAsync(plane, "before-" + command)).Length == 1);
            foreach (var part in Enum.GetValues<PlanePart>()) Processes.Signal(plane.ProcessId(part), "KILL");
            (await plane.TrestleAsync(command == "up" ? ["local", "up", "--detach", "--state", plane.State] : ["local", "down", "--state", plane.State])).ShouldExit(0);
            if (command == "up") Condition(await EndAsync(plane, "before-up"), "DisruptionTarget").ShouldBe("True");
            else Processes.Naming(plane.State).ShouldBeEmpty();
        }
    }

    private static async Task CreateAsync(LocalPlane plane, string name, string script, string? node = null)
    {
        var pod = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject
            {
                ["restartPolicy"] = "Never",
                ["containers"] = new JsonArray(new JsonObject
                {
                    ["name"] = "main",
                    ["image"] = "debian",
                    ["command"] = new JsonArray("sh", "-c", script),
                    ["volumeMounts"] = new JsonArray(new JsonObject { ["name"] = "files", ["mountPath"] = "/files" }),
                }),
                ["volumes"] = new JsonArray(new JsonObject { ["name"] = "files", ["hostPath"] = new JsonObject { ["path"] = plane.Files.FullName } }),
            },
        };
        if (node is not null) pod["spec"]!["nodeSelector"] = new JsonObject { ["kubernetes.io/hostname"] = node };
        (await plane.KubectlAsync("create", "-f", plane.Files.Write(name + ".json", pod.ToJsonString()))).ShouldExit(0);
    }

    private static Task<JsonNode?> PodAsync(LocalPlane plane, string name) => plane.GetAsync($"api/v1/namespaces/default/pods/{name}");

    private static async Task<JsonNode> EndAsync(LocalPlane plane, string name)
    {
        JsonNode? found = null;
        await plane.UntilAsync($"{name} has ended", async () => (string?)(found = await PodAsync(plane, name))?["status"]?["phase"] is "Succeeded" or "Failed");
        return found!;
    }

    private static async Task<string[]> LogAsync(LocalPlane plane, string name) =>
        (await plane.KubectlAsync("logs", name)) is { ExitCode: 0 } shown ? shown.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [];

    // The API may only just be back.
    private static async Task<string[]> PatientLogAsync(LocalPlane plane, string name)
    {
        string[] lines = [];
        await plane.UntilAsync("the log can be read", async () => (lines = await LogAsync(plane, name)).Length > 0);
        return lines;
    }

    private static string? Condition(JsonNode item, string type) =>
        (string?)(item["status"]?["conditions"]?.AsArray() ?? []).FirstOrDefault(c => (string?)c!["type"] == type)?["status"];
}
