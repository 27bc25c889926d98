using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>Jobs that others admit, on the one-machine control plane. The test does what Kueue does, as recorded in tests/Samples/kueue.</summary>
public sealed class AdmissionModesTests
{
    private const string Workload = "apis/kueue.x-k8s.io/v1beta2/namespaces/default/workloads/trainingjob-low";
    private const string Waits = """{"type":"QuotaReserved","status":"False","reason":"WaitingForQuota","message":"insufficient unused quota for nvidia.com/gpu in flavor h100, 8 more needed","lastTransitionTime":"2026-11-23T17:06:38Z"}""";
    private const string Reserved = """{"type":"QuotaReserved","status":"True","reason":"QuotaReserved","message":"Quota reserved in ClusterQueue cq","lastTransitionTime":"2026-11-23T17:06:53Z"}""";
    private const string Admitted = """{"type":"Admitted","status":"True","reason":"Admitted","message":"The workload is admitted","lastTransitionTime":"2026-11-23T17:06:53Z"}""";

    [Fact]
    public async Task A_job_of_a_local_queue_runs_when_kueue_admits_it_gives_way_when_evicted_and_runs_again()
    {
        await using var plane = await LocalPlane.StartAsync(nodes: 2);
        await HaveKindsAsync(plane, "kueue.yaml");
        await ApplyAsync(plane, """
            apiVersion: kueue.x-k8s.io/v1beta2
            kind: ResourceFlavor
            metadata: {name: h100}
            spec: {nodeLabels: {trestle.dev/accelerator: H100}, tolerations: [{key: nvidia.com/gpu, operator: Exists}]}
            ---
            apiVersion: kueue.x-k8s.io/v1beta2
            kind: LocalQueue
            metadata: {name: research, namespace: default}
            spec: {clusterQueue: cq}
            """);
        await RestartOperatorAsync(plane);
        await ApplyAsync(plane, """
            apiVersion: trestle.dev/v1alpha1
            kind: TrainingJob
            metadata: {name: low}
            spec:
              nodes: 2
              resources: {cpus: "1"}
              scheduling: {queue: research}
              terminationGracePeriod: 5s
              run: if [ $TRESTLE_ATTEMPT = 1 ]; then sleep 1000; fi; echo done
            """);

        var asked = await Condition.ValueAsync("the Workload is there", () => plane.GetAsync(Workload), null, plane.ExplainAsync);
        ((string?)asked["spec"]!["queueName"], (int?)asked["spec"]!["podSets"]![0]!["count"]).ShouldBe(("research", 2));
        await SetAsync(plane, null, Waits);
        await plane.UntilAsync("the job says what it waits for", async () => (string?)(await plane.TrainingJobAsync("low"))?["status"]?["message"] is { } why && why.Contains("8 more needed", StringComparison.Ordinal));
        (await PodsAsync(plane)).ShouldBeEmpty();

        await using var watch = plane.StartKubectl("get", "workloads.kueue.x-k8s.io", "trainingjob-low", "-w", "-o",
            """jsonpath=[{.status.admission.clusterQueue}]{.status.conditions[?(@.type=="QuotaReserved")].status}{"\n"}""");
        await SetAsync(plane, Admission(), Reserved, Admitted);
        await plane.PhaseAsync("trainingjobs", "low", ["Running"]);
        (await PodsAsync(plane)).ShouldAllBe(pod => (string?)pod["spec"]!["nodeSelector"]!["trestle.dev/accelerator"] == "H100");
        await plane.UntilAsync("Kueue is told that the pods are ready", async () => await HoldsAsync(plane, "PodsReady"));

        var ready = (await plane.GetAsync(Workload))!["status"]!["conditions"]!.AsArray().Single(condition => (string?)condition!["type"] == "PodsReady")!.ToJsonString();
        await SetAsync(plane, Admission(), Reserved, Admitted, ready, Evicted("True"));
        await plane.UntilAsync("the quota is given back", async () => (await plane.GetAsync(Workload))?["status"]?["admission"] is null && await HoldsAsync(plane, "Requeued"));
        (await PodsAsync(plane)).ShouldNotContain(pod => (string?)pod["status"]!["phase"] == "Running");
        var waiting = (await plane.TrainingJobAsync("low"))!["status"]!;
        ((string?)waiting["phase"], (int?)waiting["restarts"]!["preempted"]).ShouldBe(("Queued", 1));

        await SetAsync(plane, Admission(), Reserved, Admitted, Evicted("False"));
        var ended = await plane.PhaseAsync("trainingjobs", "low", ["Succeeded", "Failed"]);
        ((string?)ended["status"]!["phase"], (int?)ended["status"]!["attempt"]).ShouldBe(("Succeeded", 2));
        await plane.UntilAsync("Kueue is told of the end", async () => await HoldsAsync(plane, "Finished"));
        watch.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Order(StringComparer.Ordinal).ToList().ShouldBe(["[]False", "[cq]True"], customMessage: "admission and conditions change together");
    }

    [Fact]
    public async Task A_gang_of_the_coscheduling_plugin_has_its_group_before_its_pods_and_runs_to_the_end()
    {
        await using var plane = await LocalPlane.StartAsync(nodes: 2);
        const string Job = """
            apiVersion: trestle.dev/v1alpha1
            kind: TrainingJob
            metadata: {name: NAME}
            spec: {nodes: 2, scheduling: {mode: Coscheduling}, podTemplate: {schedulerName: default-scheduler}, run: echo done}
            """;
        await ApplyAsync(plane, Job.Replace("NAME", "early", StringComparison.Ordinal));
        ((string?)(await plane.PhaseAsync("trainingjobs", "early", ["Failed"]))["status"]!["message"])!.ShouldStartWith("scheduling.mode Coscheduling needs the coscheduling plugin");

        await HaveKindsAsync(plane, "coscheduling.yaml");
        await RestartOperatorAsync(plane);
        await using var groups = plane.StartKubectl("get", "podgroups.scheduling.x-k8s.io", "-w", "-o", """jsonpath={.metadata.name} {.spec.minMember}{"\n"}""");
        await using var pods = plane.StartKubectl("get", "pods", "-w", "-o", """jsonpath={.metadata.labels.scheduling\.x-k8s\.io/pod-group}{"\n"}""");
        await ApplyAsync(plane, Job.Replace("NAME", "late", StringComparison.Ordinal));
        await plane.PhaseAsync("trainingjobs", "late", ["Succeeded"]);
        await plane.UntilAsync("the group was shown", () => Task.FromResult(groups.Out.Contains("late-a1 2", StringComparison.Ordinal)));
        pods.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().ShouldBe(["late-a1"]);
        await plane.UntilAsync("the group is gone", async () => (await plane.ListAsync("apis/scheduling.x-k8s.io/v1alpha1/podgroups")).Count == 0);
    }

    private static JsonNode Admission() => JsonNode.Parse("""{"clusterQueue":"cq","podSetAssignments":[{"name":"main","count":2,"flavors":{"cpu":"h100"}}]}""")!;

    private static string Evicted(string status) =>
        $$"""{"type":"Evicted","status":"{{status}}","reason":"Preempted","message":"Preempted to accommodate a workload","lastTransitionTime":"2026-11-23T17:06:43Z"}""";

    // In one write, as Kueue does.
    private static async Task SetAsync(LocalPlane plane, JsonNode? admission, params string[] conditions)
    {
        var status = new JsonObject { ["admission"] = admission, ["conditions"] = new JsonArray([.. conditions.Select(condition => JsonNode.Parse(condition))]) };
        using var body = new StringContent(new JsonObject { ["status"] = status }.ToJsonString(), null, "application/merge-patch+json");
        using var answer = await plane.Http.PatchAsync(new Uri(Workload + "/status", UriKind.Relative), body);
        answer.EnsureSuccessStatusCode();
    }

    private static async Task<bool> HoldsAsync(LocalPlane plane, string type) =>
        (await plane.GetAsync(Workload))?["status"]?["conditions"]?.AsArray().Any(condition => (string?)condition!["type"] == type && (string?)condition["status"] == "True") == true;

    private static Task<IReadOnlyList<JsonNode>> PodsAsync(LocalPlane plane) => plane.ListAsync("api/v1/namespaces/default/pods");

    private static async Task HaveKindsAsync(LocalPlane plane, string file)
    {
        (await plane.KubectlAsync("apply", "-f", RepositoryFiles.Path("tests", "Samples", "admission-crds", file))).ShouldExit(0);
        (await plane.KubectlAsync("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")).ShouldExit(0);
    }

    // It looks for kinds when it starts, and once a minute.
    private static Task RestartOperatorAsync(LocalPlane plane) => plane.KillAsync(PlanePart.Operator);

    private static async Task ApplyAsync(LocalPlane plane, string manifest) =>
        (await plane.KubectlAsync("apply", "-f", plane.Files.Write($"{Guid.NewGuid():N}.yaml", manifest))).ShouldExit(0);
}
