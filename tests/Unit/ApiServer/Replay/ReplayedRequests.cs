using System.Text;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer.Tests;

/// <summary>
/// Sends the recorded requests in their order to one server. Between them it does what was done, unrecorded, to the real one:
/// it makes the objects the requests speak of and stands in for the kubelet.
/// </summary>
public sealed class ReplayedRequests : IAsyncLifetime
{
    private const string Jobs = "/apis/trestle.dev/v1alpha1/namespaces/default/trainingjobs";
    private const string Pods = "/api/v1/namespaces/default/pods";

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly string _state = Directory.CreateTempSubdirectory("replay").FullName;
    private RunningApiServer _server = null!;
    private ApiClient _client = null!;
    private Task<string> _podWatch = Task.FromResult("");

    internal Dictionary<string, Replayed> Results { get; } = new(StringComparer.Ordinal);

    public async ValueTask InitializeAsync()
    {
        var policy = Path.Combine(_state, "policy.json");
        await File.WriteAllTextAsync(policy, """{"rules": []}""");
        _server = await ApiServerHost.StartAsync(new ApiServerOptions { StateDirectory = _state, AdminToken = "admintoken", PolicyFile = policy });
        _client = new ApiClient(_server);
        await CreateNodeAsync();
        foreach (var recording in Recording.All)
        {
            await PrepareAsync(recording.Name);
            Results[recording.Name] = await ReplayAsync(recording);
            await FollowUpAsync(recording.Name);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        Directory.Delete(_state, recursive: true);
    }

    private async Task PrepareAsync(string name)
    {
        switch (name)
        {
            case "071-list-limit":
                for (var i = 0; i < 5; i++) await CreateJobAsync("l" + i, new JsonObject { ["app"] = "l", ["i"] = i.ToString() });
                break;
            case "083-watch-from-rv":
                await ChangeWatchedJobAsync();
                break;
            case "091-delete-with-finalizer":
                await CreateJobAsync("fin", null, new JsonArray("trestle.dev/cancel"));
                break;
            case "101-pod-create-gated":
                Learn(Recording.Find("101-pod-create-gated").AnswerJson["metadata"]!["ownerReferences"]![0]!["uid"], (await CreateJobAsync("owner", null))["metadata"]!["uid"]);
                break;
            case "104-pod-running":
                await RunPodAsync("g1", Recording.Find("104-pod-running").AnswerJson);
                break;
            case "115-pod-delete-graceful":
                _podWatch = WatchPodAsync();
                break;
            case "118-pod-succeeded":
                await CreateFinishedPodAsync("ok", Recording.Find("118-pod-succeeded").AnswerJson);
                await WriteLogAsync("ok", "2026-11-23T16:58:38.070127462Z stdout F one\n2026-11-23T16:58:38.070162705Z stdout F two\n");
                break;
            case "119-pod-failed-exit-3":
                await CreateFinishedPodAsync("bad", Recording.Find("119-pod-failed-exit-3").AnswerJson);
                break;
            case "123-delete-owner-foreground":
                await CreateDependentAsync();
                break;
            case "125-get-dependent-after":
                await _client.JsonAsync("DELETE", Pods + "/g2?gracePeriodSeconds=0");
                await _client.UntilAsync(Jobs + "/owner", (status, _) => status == 404);
                break;
        }
    }

    private async Task FollowUpAsync(string name)
    {
        if (name == "116-pod-get-terminating") await EndPodAsync();
    }

    private async Task<Replayed> ReplayAsync(Recording recording)
    {
        if (recording.Name == "117-watch-pod-delete") return new Replayed(200, new Dictionary<string, string>(), await _podWatch);
        using var request = new HttpRequestMessage(new HttpMethod(recording.Method), Translate(recording.Url));
        if (recording.Headers.TryGetValue("Content-Type", out var type))
        {
            // The duplicate key of this request was lost when it was recorded.
            var body = recording.Name == "029-create-duplicate-key-strict" ? recording.Body.Replace("\"run\": \"y\"", "\"run\": \"x\", \"run\": \"y\"", StringComparison.Ordinal) : Translate(recording.Body);
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(recording.Body.EndsWith('\n') ? body[..^1] : body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        foreach (var (header, value) in recording.Headers.Where(h => h.Key != "Content-Type")) request.Headers.TryAddWithoutValidation(header, value);
        using var other = recording.Name switch { "127-unauthorized" => new ApiClient(_server, "wrong"), "128-anonymous" => new ApiClient(_server, ""), _ => null };
        using var response = await (other ?? _client).Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var text = recording.Url.Contains("watch=1", StringComparison.Ordinal) && recording.Status == 200
            ? await ReadEventsAsync(response, recording)
            : await response.Content.ReadAsStringAsync();
        LearnFrom(recording, text);
        var headers = response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase);
        return new Replayed((int)response.StatusCode, headers, text);
    }

    private static async Task<string> ReadEventsAsync(HttpResponseMessage response, Recording recording)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var text = new StringBuilder();
        var left = recording.Url.Contains("timeoutSeconds", StringComparison.Ordinal) ? int.MaxValue : recording.Events.Count;
        while (left-- > 0 && await reader.ReadLineAsync() is { } line) text.AppendLine(line);
        return text.ToString();
    }

    private async Task<JsonObject> CreateJobAsync(string name, JsonObject? labels, JsonArray? finalizers = null)
    {
        var metadata = new JsonObject { ["name"] = name };
        if (labels is not null) metadata["labels"] = labels;
        if (finalizers is not null) metadata["finalizers"] = finalizers;
        return await _client.JsonAsync("POST", Jobs, new JsonObject
        {
            ["apiVersion"] = "trestle.dev/v1alpha1",
            ["kind"] = "TrainingJob",
            ["metadata"] = metadata,
            ["spec"] = new JsonObject { ["run"] = "true" },
        });
    }

    private async Task ChangeWatchedJobAsync()
    {
        await CreateJobAsync("w1", new JsonObject { ["app"] = "w" });
        foreach (var patch in (string[])["""{"metadata":{"annotations":{"k":"v"}}}""", """{"metadata":{"labels":null}}""", """{"metadata":{"labels":{"app":"w"}}}"""])
            await _client.JsonAsync("PATCH", Jobs + "/w1", JsonNode.Parse(patch), "application/merge-patch+json");
        await _client.JsonAsync("DELETE", Jobs + "/w1");
    }

    private async Task CreateNodeAsync()
    {
        var node = Recording.Find("139-node-get").AnswerJson;
        var metadata = (JsonObject)node["metadata"]!;
        foreach (var field in (string[])["uid", "resourceVersion", "creationTimestamp", "managedFields"]) metadata.Remove(field);
        await _client.JsonAsync("POST", "/api/v1/nodes", node, userAgent: "kubelet/v1");
    }

    private async Task RunPodAsync(string name, JsonObject recorded)
    {
        var binding = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Binding", ["metadata"] = new JsonObject { ["name"] = name }, ["target"] = new JsonObject { ["kind"] = "Node", ["name"] = "node1" } };
        await _client.JsonAsync("POST", $"{Pods}/{name}/binding", binding);
        await ReportAsync(name, recorded);
    }

    private async Task ReportAsync(string name, JsonObject recorded)
    {
        var live = await _client.JsonAsync("GET", $"{Pods}/{name}");
        var status = (JsonObject)recorded["status"]!.DeepClone();
        var bound = live["status"]!["conditions"]!.AsArray().First(c => (string?)c!["type"] == "PodScheduled")!;
        status["conditions"]!.AsArray().First(c => (string?)c!["type"] == "PodScheduled")!["lastTransitionTime"] = bound["lastTransitionTime"]!.DeepClone();
        live["status"] = status;
        await _client.JsonAsync("PUT", $"{Pods}/{name}/status", live, userAgent: "kubelet/v1");
    }

    private async Task CreateFinishedPodAsync(string name, JsonObject recorded)
    {
        var spec = (JsonObject)recorded["spec"]!.DeepClone();
        foreach (var field in (string[])["nodeName", "tolerations", "priority", "preemptionPolicy"]) spec.Remove(field); // added by the server
        await _client.JsonAsync("POST", Pods, new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["p"] = "1" } },
            ["spec"] = spec,
        });
        await RunPodAsync(name, recorded);
    }

    private async Task CreateDependentAsync()
    {
        var pod = JsonNode.Parse(Translate(Recording.Find("101-pod-create-gated").Body))!.AsObject();
        pod["metadata"]!["name"] = "g2";
        pod["spec"]!.AsObject().Remove("schedulingGates");
        await _client.JsonAsync("POST", Pods, pod);
        await _client.JsonAsync("POST", Pods + "/g2/binding", JsonNode.Parse("""{"apiVersion":"v1","kind":"Binding","metadata":{"name":"g2"},"target":{"kind":"Node","name":"node1"}}"""));
    }

    private async Task WriteLogAsync(string pod, string text)
    {
        var uid = (string)(await _client.JsonAsync("GET", $"{Pods}/{pod}"))["metadata"]!["uid"]!;
        var directory = Directory.CreateDirectory(Path.Combine(_state, "nodes", "node1", "pods", uid, "t"));
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, "0.log"), text);
    }

    private async Task<string> WatchPodAsync()
    {
        var text = new StringBuilder();
        await foreach (var line in _client.WatchAsync(Recording.Find("117-watch-pod-delete").Url))
        {
            text.AppendLine(line.ToJsonString());
            if ((string?)line["type"] == "DELETED") break;
        }

        return text.ToString();
    }

    // What the kubelet reported while the pod ended, from the recorded watch: every change but the deletions themselves.
    private async Task EndPodAsync()
    {
        foreach (var step in Recording.Find("117-watch-pod-delete").Events.Skip(2).SkipLast(2)) await ReportAsync("g1", (JsonObject)step["object"]!);
        await _client.JsonAsync("DELETE", Pods + "/g1?gracePeriodSeconds=0");
    }

    private string Translate(string text)
    {
        foreach (var (recorded, ours) in _names) text = text.Replace(recorded, ours, StringComparison.Ordinal);
        return text;
    }

    private void LearnFrom(Recording recording, string text)
    {
        if (text.Length == 0 || text[0] != '{' || recording.Answer.Length == 0 || recording.Answer[0] != '{' || recording.Name == "014-openapi-v3-group") return;
        var ours = Recording.ParseMany(text);
        var theirs = recording.Events;
        for (var i = 0; i < Math.Min(ours.Count, theirs.Count); i++) LearnAll(theirs[i], ours[i]);
    }

    private void LearnAll(JsonNode? theirs, JsonNode? ours)
    {
        switch (theirs, ours)
        {
            case (JsonObject a, JsonObject b):
                foreach (var (name, value) in a)
                {
                    if (name is "uid" or "resourceVersion" or "continue" && value is JsonValue) Learn(value, b[name], name == "resourceVersion");
                    else LearnAll(value, b[name]);
                }

                break;
            case (JsonArray a, JsonArray b):
                for (var i = 0; i < Math.Min(a.Count, b.Count); i++) LearnAll(a[i], b[i]);
                break;
        }
    }

    private void Learn(JsonNode? theirs, JsonNode? ours, bool isVersion = false)
    {
        if (theirs.AsText() is not { Length: > 2 } recorded || ours.AsText() is not { } mine) return;
        if (!isVersion)
        {
            _names[recorded] = mine;
            return;
        }

        _names[$"\"resourceVersion\": \"{recorded}\""] = $"\"resourceVersion\": \"{mine}\"";
        _names[$"resourceVersion={recorded}&"] = $"resourceVersion={mine}&";
    }
}

/// <summary>What our server answered.</summary>
internal sealed record Replayed(int Status, IReadOnlyDictionary<string, string> Headers, string Text);
