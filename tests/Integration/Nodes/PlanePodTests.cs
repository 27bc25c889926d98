using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Nodes;

/// <summary>Plain pods on a whole plane, made and watched by kubectl.</summary>
public sealed class PlanePodTests : IAsyncLifetime
{
    private LocalPlane _plane = null!;

    public async ValueTask InitializeAsync() => _plane = await LocalPlane.StartAsync(nodes: 2);

    public ValueTask DisposeAsync() => _plane.DisposeAsync();

    [Fact]
    public async Task A_process_in_a_pod_finds_our_commands_and_the_cluster_by_its_service_account()
    {
        await CreateAsync("inside", "for c in trestle sky trestle-node; do command -v $c; done; kubectl auth whoami; kubectl get pods; cat /var/run/secrets/kubernetes.io/serviceaccount/namespace");
        await EndAsync("inside", "Succeeded");
        var log = (await _plane.KubectlAsync("logs", "inside")).ShouldExit(0).Out;
        foreach (var command in new[] { "trestle", "sky", "trestle-node" }) log.ShouldContain(Path.Combine(_plane.State, "bin", command) + "\n");
        log.ShouldContain("system:serviceaccount:default:default");
        log.ShouldContain("inside   1/1     Running");
        log.TrimEnd().ShouldEndWith("default");
    }

    [Fact]
    public async Task A_gated_pod_waits_and_runs_on_the_node_it_names_once_the_gate_is_lifted()
    {
        await CreateAsync("gated", "echo the reason >&2; exit 3", spec =>
        {
            spec["schedulingGates"] = new JsonArray(new JsonObject { ["name"] = "trestle.dev/admission" });
            spec["nodeSelector"] = new JsonObject { ["kubernetes.io/hostname"] = "node-1" };
        });
        await CreateAsync("free", "true");
        await EndAsync("free", "Succeeded"); // created later, so the scheduler has seen the other one
        ((string?)(await PodAsync("gated"))["spec"]!["nodeName"]).ShouldBeNull();

        (await _plane.KubectlAsync("patch", "pod", "gated", "--type=json", "-p", """[{"op":"remove","path":"/spec/schedulingGates"}]""")).ShouldExit(0);
        var ended = await EndAsync("gated", "Failed");
        ((string?)ended["spec"]!["nodeName"]).ShouldBe("node-1");
        var terminated = ended["status"]!["containerStatuses"]![0]!["state"]!["terminated"]!;
        ((int?)terminated["exitCode"]).ShouldBe(3);
        ((string?)terminated["message"]).ShouldBe("the reason");
        (await _plane.KubectlAsync("logs", "-f", "gated")).ShouldExit(0).Out.ShouldBe("the reason\n");
        (await _plane.KubectlAsync("describe", "pod", "gated")).ShouldExit(0).Out.ShouldContain("Exit Code:    3");
        (await _plane.KubectlAsync("delete", "pod", "gated")).ShouldExit(0);
        (await _plane.GetAsync("api/v1/namespaces/default/pods/gated")).ShouldBeNull();
    }

    [Fact]
    public async Task A_drained_node_lets_its_pods_end_and_takes_no_new_one_until_it_is_restored()
    {
        await CreateAsync("leaving", "trap 'echo asked to go; exit 0' TERM; echo up; while :; do sleep 0.05; done", spec => spec["nodeSelector"] = new JsonObject { ["kubernetes.io/hostname"] = "node-0" });
        await _plane.UntilAsync("it runs", async () => (await _plane.KubectlAsync("logs", "leaving")).Out.Contains("up", StringComparison.Ordinal));
        await using var log = _plane.StartKubectl("logs", "-f", "leaving");
        await _plane.UntilAsync("the log is followed", () => Task.FromResult(log.Out.Contains("up", StringComparison.Ordinal)));
        await using var conditions = _plane.StartKubectl("get", "pod", "leaving", "-w", "-o", "jsonpath={.status.phase} {.status.conditions[?(@.type==\"DisruptionTarget\")].reason}{\"\\n\"}");
        await _plane.UntilAsync("the pod is watched", () => Task.FromResult(conditions.Out.Contains("Running", StringComparison.Ordinal)));
        (await _plane.TrestleAsync("local", "node", "drain", "node-0", "--state", _plane.State)).ShouldExit(0);
        await _plane.UntilAsync("it is gone", async () => await _plane.GetAsync("api/v1/namespaces/default/pods/leaving") is null);
        await _plane.UntilAsync("it was seen to end as evicted", () => Task.FromResult(conditions.Out.Contains("Succeeded EvictionByEvictionAPI", StringComparison.Ordinal)));
        await _plane.UntilAsync("its last line was seen", () => Task.FromResult(log.Out.Contains("asked to go", StringComparison.Ordinal)));

        await CreateAsync("next", "echo back", spec => spec["nodeSelector"] = new JsonObject { ["kubernetes.io/hostname"] = "node-0" });
        await _plane.UntilAsync("next is refused", async () => (await PodAsync("next"))["status"]?["conditions"]?.AsArray().Any(c => (string?)c!["reason"] == "Unschedulable") == true);
        (await _plane.TrestleAsync("local", "node", "restore", "node-0", "--state", _plane.State)).ShouldExit(0);
        await EndAsync("next", "Succeeded");
    }

    private async Task CreateAsync(string name, string script, Action<JsonObject>? change = null)
    {
        var spec = new JsonObject
        {
            ["restartPolicy"] = "Never",
            ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = "debian", ["terminationMessagePolicy"] = "FallbackToLogsOnError", ["command"] = new JsonArray("sh", "-c", script) }),
        };
        change?.Invoke(spec);
        var pod = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec };
        (await _plane.KubectlAsync("create", "-f", _plane.Files.Write(name + ".json", pod.ToJsonString()))).ShouldExit(0);
    }

    private async Task<JsonNode> PodAsync(string name) => (await _plane.GetAsync($"api/v1/namespaces/default/pods/{name}"))!;

    private async Task<JsonNode> EndAsync(string name, string phase)
    {
        await _plane.UntilAsync($"{name} is {phase}", async () => (string?)(await PodAsync(name))["status"]?["phase"] == phase);
        return await PodAsync(name);
    }
}
