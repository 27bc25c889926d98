using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>Services of a tiny engine behind the real gateway and filters, by themselves and in a group.</summary>
public sealed class InferenceServiceTests : IAsyncLifetime
{
    private const string Pods = "api/v1/namespaces/default/pods";
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private LocalPlane _plane = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _plane = await LocalPlane.StartAsync(nodes: 2, gpus: "H100:2");
        (await _plane.KubectlAsync("create", "configmap", "engine", $"--from-file=engine.py={_plane.Files.Write("engine.py", TinyEngine.Text)}")).ShouldExit(0);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _plane.DisposeAsync();
    }

    [Fact]
    public async Task A_service_answers_scales_and_takes_a_new_template_without_a_gap()
    {
        var launched = (await _plane.TrestleAsync("launch", "--wait", _plane.Files.Write("policy.yaml", Service(replicas: 2)))).ShouldExit(0);
        launched.Out.ShouldContain("url:     http://policy.default.svc:8000");
        launched.Error.ShouldContain("policy: Available: 2/2 replicas ready");
        (await AskAsync()).ShouldBe("first");
        (await _plane.TrestleAsync("describe", "policy")).ShouldExit(0).Out.ShouldContain("2/2 ready");
        (await _plane.TrestleAsync("logs", "policy")).ShouldExit(0).Out.ShouldSatisfyAllConditions(
            log => log.ShouldContain("[engine-0] "),
            log => log.ShouldContain("[engine-1] "),
            log => log.ShouldNotContain("[gateway-"));
        (await _plane.TrestleAsync("logs", "policy", "--rank", "1", "--tail", "2")).ShouldExit(0).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
        (await _plane.TrestleAsync("logs", "policy", "--task", "gateway")).ShouldExit(0).Out.ShouldContain("[gateway-0] ");
        (await _plane.TrestleAsync("suspend", "policy")).ShouldExit(2).Error.ShouldContain("policy is a service");

        (await _plane.KubectlAsync("scale", "isvc", "policy", "--replicas=3")).ShouldExit(0);
        await UntilReadyAsync(3);
        (await _plane.KubectlAsync("scale", "isvc", "policy", "--replicas=1")).ShouldExit(0);
        await UntilReadyAsync(1);
        await _plane.UntilAsync("the others are gone", async () => (await ReplicasAsync()).Count == 1);
        (await ReplicasAsync()).Single().ShouldBe("policy-0-0");

        (await _plane.KubectlAsync("patch", "isvc", "policy", "--type=merge", "-p", """{"spec":{"model":{"revision":"second"}}}""")).ShouldExit(0);
        var answers = new HashSet<string?>();
        await _plane.UntilAsync("the new template answers", async () =>
        {
            // A request that fails ends the test: there is no time without a ready replica.
            answers.Add(await AskAsync());
            return answers.Contains("second") && (await ReplicasAsync()) is ["policy-0-0"];
        });
        answers.ShouldBeSubsetOf(["first", "second"]);

        (await _plane.TrestleAsync("cancel", "policy")).ShouldExit(0);
        await _plane.UntilAsync("the service is gone", async () => await _plane.GetAsync("apis/trestle.dev/v1alpha1/namespaces/default/inferenceservices/policy") is null);
    }

    [Fact]
    public async Task An_engine_that_dies_is_started_again_and_a_replica_that_is_deleted_is_made_anew()
    {
        await ApplyAsync(Service(replicas: 1));
        await UntilReadyAsync(1);
        var address = (string?)(await _plane.GetAsync($"{Pods}/policy-0-0"))!["status"]!["podIP"];
        var engine = Processes.Naming($"--host\0{address}\0").First(process => Path.GetFileName(process.CommandLine.Split('\0')[0]).StartsWith("python3", StringComparison.Ordinal));
        Processes.Signal(engine.Id, "KILL");
        await _plane.UntilAsync("the container was started again", async () => (int?)(await _plane.GetAsync($"{Pods}/policy-0-0"))?["status"]?["containerStatuses"]?[0]?["restartCount"] == 1);
        await UntilReadyAsync(1);

        var uid = (string?)(await _plane.GetAsync($"{Pods}/policy-0-0"))!["metadata"]!["uid"];
        (await _plane.KubectlAsync("delete", "pod", "policy-0-0", "--wait=false")).ShouldExit(0);
        await _plane.UntilAsync("another pod has its name", async () => (string?)(await _plane.GetAsync($"{Pods}/policy-0-0"))?["metadata"]?["uid"] is { } now && now != uid);
        await UntilReadyAsync(1);
        (await AskAsync()).ShouldBe("first");
    }

    [Fact]
    public async Task A_job_of_a_group_finds_the_service_beside_it_and_the_service_ends_with_the_group()
    {
        await ApplyAsync($$"""
            apiVersion: trestle.dev/v1alpha1
            kind: JobGroup
            metadata: {name: rl}
            spec:
              tasks:
              - name: trainer
                job:
                  resources: {accelerators: "H100:1"}
                  run: |
                    echo "$TRESTLE_POLICY_MODEL of $TRESTLE_POLICY_REPLICAS at $TRESTLE_POLICY_URL"
                    python3 - <<'END'
                    import json, os, time, urllib.request
                    while True:
                        try:
                            request = urllib.request.Request(os.environ["TRESTLE_POLICY_URL"] + "/v1/completions", b'{"model": "tiny", "prompt": "x"}', {"Content-Type": "application/json"})
                            print("answer:", json.load(urllib.request.urlopen(request, timeout=10))["choices"][0]["text"])
                            break
                        except OSError:
                            time.sleep(0.2)
                    ready = []
                    while len(ready) < 2:
                        time.sleep(0.2)
                        if os.path.exists(os.environ["TRESTLE_POLICY_ENDPOINTS"]):
                            with open(os.environ["TRESTLE_POLICY_ENDPOINTS"]) as file:
                                ready = [replica for replica in json.load(file)["replicas"] if replica["ready"]]
                    for replica in ready:
                        request = urllib.request.Request(replica["url"] + "/v1/completions", b'{"model": "tiny", "prompt": "x"}', {"Content-Type": "application/json"})
                        print(replica["name"], "says", json.load(urllib.request.urlopen(request, timeout=10))["choices"][0]["text"])
                    END
              - name: policy
                service:
                  replicas: 2
            {{Indented(TinyEngine.Spec, 6)}}
            """);
        var ended = await _plane.PhaseAsync("jobgroups", "rl", ["Succeeded", "Failed"]);
        ended["status"]!["tasks"]!.AsArray().Select(task => $"{task!["name"]} {task["kind"]} {task["phase"]}").ShouldBe(["trainer TrainingJob Succeeded", "policy InferenceService Ended"], customMessage: ended.ToJsonString());
        var log = (await _plane.TrestleAsync("logs", "rl-trainer")).ShouldExit(0).Out;
        log.ShouldContain("tiny of 2 at http://rl-policy.default.svc:8000");
        log.ShouldContain("answer: first");
        log.ShouldContain("rl-policy-0-0 says first");
        log.ShouldContain("rl-policy-1-0 says first");
        await _plane.UntilAsync("nothing of the service is left", async () =>
            (await _plane.ListAsync(Pods)).All(pod => (string?)pod["metadata"]!["labels"]?["trestle.dev/service"] is null)
            && (await _plane.ListAsync("apis/trestle.dev/v1alpha1/namespaces/default/inferenceservices")).Count == 0);
    }

    private static string Service(int replicas) => $"""
        apiVersion: trestle.dev/v1alpha1
        kind: InferenceService
        metadata: (name: policy)
        spec:
          replicas: {replicas}
        {Indented(TinyEngine.Spec, 2)}
        """.Replace("(name: policy)", "{name: policy}", StringComparison.Ordinal);

    private static string Indented(string text, int by) => string.Join('\n', text.Split('\n').Select(line => new string(' ', by) + line));

    private async Task ApplyAsync(string manifest) => (await _plane.KubectlAsync("apply", "-f", _plane.Files.Write($"{Guid.NewGuid():N}.yaml", manifest))).ShouldExit(0);

    private Task UntilReadyAsync(int replicas) => _plane.UntilAsync($"{replicas} replicas are ready", async () =>
        await _plane.GetAsync("apis/trestle.dev/v1alpha1/namespaces/default/inferenceservices/policy") is { } service
        && (string?)service["status"]?["phase"] == "Available" && (int?)service["status"]!["readyReplicas"] == replicas && (int?)service["status"]!["replicas"] == replicas);

    private async Task<IReadOnlyList<string>> ReplicasAsync() =>
        [.. (await _plane.ListAsync(Pods)).Where(pod => (string?)pod["metadata"]!["labels"]?["app.kubernetes.io/component"] == "replica").Select(pod => (string)pod["metadata"]!["name"]!)];

    // As a client outside of the cluster would by a port-forward: names of Services are known to pods alone.
    private async Task<string?> AskAsync()
    {
        var gateway = await _plane.GetAsync($"{Pods}/policy-gateway");
        using var answer = await _http.PostAsJsonAsync($"http://{gateway!["status"]!["podIP"]}:8000/v1/completions", new { model = "tiny", prompt = "x" }, Ct);
        answer.IsSuccessStatusCode.ShouldBeTrue($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(Ct)}");
        return (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!["choices"]![0]!["text"];
    }
}
