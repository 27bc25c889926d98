using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Operators;

/// <summary>The operator as the program that the chart runs.</summary>
public sealed class OperatorProgramTests : IAsyncLifetime
{
    private static readonly TimeSpan TakeOver = TimeSpan.FromSeconds(15);
    private LocalPlane _plane = null!;

    public async ValueTask InitializeAsync() => _plane = await LocalPlane.StartAsync(nodes: 2, withOperator: false);

    public ValueTask DisposeAsync() => _plane.DisposeAsync();

    [Fact]
    public async Task It_runs_a_job_and_gives_the_lease_back_when_it_is_asked_to_end()
    {
        // Stands for the pod that the program runs in: the label left by a process that was killed goes first, and the leader sets its own.
        (await _plane.KubectlAsync("create", "-f", _plane.Files.Write("pods.yaml", OperatorPod("op-0", "1") + "\n---\n" + OperatorPod("op-1", "true")))).ShouldExit(0);
        await using var program = OperatorProcess.Start(_plane, OperatorProcess.FreePort(), "op-0");
        await program.UntilAsync("leading");
        await using (var second = OperatorProcess.Start(_plane, OperatorProcess.FreePort(), "op-1"))
        {
            await second.UntilAsync("standing by for the lease");
            (await MarkAsync("op-0"), await MarkAsync("op-1")).ShouldBe(("true", null));
        }

        (await program.AskAsync("/healthz")).Status.ShouldBe(HttpStatusCode.OK);
        (await program.AskAsync("/else")).Status.ShouldBe(HttpStatusCode.NotFound);
        await MakeAsync("small", nodes: 2, "echo rank $TRESTLE_NODE_RANK of $TRESTLE_NUM_NODES");
        await EndAsync("small", "Succeeded", program);
        (await _plane.KubectlAsync("logs", "small-1-a1")).ShouldExit(0).Out.ShouldContain("rank 1 of 2");
        (await HolderAsync()).ShouldNotBeNullOrEmpty();
        program.Signal("TERM");
        (await program.EndAsync()).ShouldExit(0);
        (await HolderAsync()).ShouldBeNullOrEmpty();
        (await MarkAsync("op-0")).ShouldBeNull();
    }

    [Fact]
    public async Task A_killed_leader_is_replaced_and_no_job_gets_its_pods_twice()
    {
        var port = OperatorProcess.FreePort();
        await using var pods = _plane.StartKubectl("get", "pods", "--watch", "--output-watch-events", "-o", "jsonpath={.type} {.object.metadata.name} {.object.metadata.uid}{\"\\n\"}");
        await using var first = OperatorProcess.Start(_plane, port);
        await first.UntilAsync("leading");
        await using var second = OperatorProcess.Start(_plane, port);
        await second.UntilAsync("standing by for the lease");

        // One job runs across the change; others come in at its worst moment.
        await MakeAsync("across", nodes: 2, "until [ -e /gate/go ]; do sleep 0.1; done", storage: "gate");
        await _plane.UntilAsync("the job runs", async () => await PhaseAsync("across") == "Running");
        for (var number = 0; number < 4; number++) await MakeAsync($"late-{number}", nodes: 2, "true");
        first.Signal("KILL");
        var killed = Stopwatch.GetTimestamp();
        await second.UntilAsync("leading");
        Stopwatch.GetElapsedTime(killed).ShouldBeLessThan(TakeOver);

        await MakeAsync("after", nodes: 2, "true");
        await File.WriteAllTextAsync(Path.Combine(_plane.Objects, "default", "gate", "go"), "", TestContext.Current.CancellationToken);
        string[] jobs = ["across", "late-0", "late-1", "late-2", "late-3", "after"];
        foreach (var job in jobs) await EndAsync(job, "Succeeded", second);
        foreach (var job in jobs) ((int?)(await _plane.TrainingJobAsync(job))!["status"]!["attempt"]).ShouldBe(1);

        var expected = jobs.SelectMany(job => new[] { $"{job}-0-a1", $"{job}-1-a1" }).Order(StringComparer.Ordinal).ToList();
        await Condition.UntilAsync("the watch has told of all pods", () => expected.All(pod => pods.Out.Contains($" {pod} ", StringComparison.Ordinal)));
        pods.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith("ADDED", StringComparison.Ordinal))
            .Select(line => line.Split(' ')[1]).Order(StringComparer.Ordinal).ShouldBe(expected);
    }

    private static string OperatorPod(string name, string mark) =>
        $"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: trestle-system, labels: {{trestle.dev/leader: '{mark}'}}}}, spec: {{schedulingGates: [{{name: test/never}}], containers: [{{name: main, image: x}}]}}}}";

    private async Task<string?> MarkAsync(string pod) => (string?)(await _plane.GetAsync($"api/v1/namespaces/trestle-system/pods/{pod}"))!["metadata"]!["labels"]?["trestle.dev/leader"];

    private async Task MakeAsync(string name, int nodes, string run, string? storage = null)
    {
        var job = new JsonObject
        {
            ["apiVersion"] = "trestle.dev/v1alpha1",
            ["kind"] = "TrainingJob",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["nodes"] = nodes, ["run"] = run },
        };
        if (storage is not null) job["spec"]!["mounts"] = new JsonArray(new JsonObject { ["path"] = $"/{storage}", ["storage"] = storage });
        (await _plane.KubectlAsync("create", "-f", _plane.Files.Write($"{name}.json", job.ToJsonString()))).ShouldExit(0);
    }

    private async Task<string?> PhaseAsync(string job) => (string?)(await _plane.TrainingJobAsync(job))?["status"]?["phase"];

    private async Task EndAsync(string job, string phase, OperatorProcess program)
    {
        await Condition.UntilAsync($"{job} is {phase}", async () => await PhaseAsync(job) == phase, TimeSpan.FromMinutes(2), async () => $"{program.Log}\n{await _plane.ExplainAsync()}");
    }

    private async Task<string?> HolderAsync() =>
        (string?)(await _plane.GetAsync("apis/coordination.k8s.io/v1/namespaces/trestle-system/leases/trestle-operator"))?["spec"]?["holderIdentity"];
}
