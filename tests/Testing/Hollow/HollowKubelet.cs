using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Trestle.Testing.Hollow;

/// <summary>What becomes of a pod that runs: its exit code, after so long.</summary>
public sealed record Fate(TimeSpan After, int ExitCode);

/// <summary>
/// Binds pods to the node they are pinned to, tells of them as a kubelet does and lets them end as their fate says, without running
/// anything. Watches the invariants of gangs while it does so.
/// </summary>
public sealed class HollowKubelet : IAsyncDisposable
{
    private const string Pods = "api/v1/pods";
    private const int Workers = 8;
    private readonly HttpClient _api;
    private readonly Func<JsonNode, Fate> _fate;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<(JsonNode Pod, TimeSpan Delay)> _work = Channel.CreateUnbounded<(JsonNode, TimeSpan)>();
    private readonly List<Task> _parts = [];

    private HollowKubelet(HttpClient api, Func<JsonNode, Fate> fate) => (_api, _fate) = (api, fate);

    /// <summary>What it has seen, and what of that must not be.</summary>
    public GangWitness Witness { get; } = new();

    /// <summary>Failures of its own: a kubelet that gave up explains a test that waits for ever.</summary>
    public ConcurrentQueue<string> Troubles { get; } = [];

    /// <summary>Watches all pods of the cluster.</summary>
    public static HollowKubelet Start(HttpClient api, Func<JsonNode, Fate> fate)
    {
        var kubelet = new HollowKubelet(api, fate);
        kubelet._parts.Add(kubelet.GuardAsync(kubelet.WatchAsync));
        for (var worker = 0; worker < Workers; worker++) kubelet._parts.Add(kubelet.GuardAsync(kubelet.WorkAsync));
        return kubelet;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_parts);
        _stop.Dispose();
    }

    private async Task GuardAsync(Func<CancellationToken, Task> part)
    {
        try
        {
            await part(_stop.Token);
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            // Asked to end.
        }
        catch (Exception error)
        {
            Troubles.Enqueue(error.Message);
        }
    }

    private async Task WatchAsync(CancellationToken ct)
    {
        await foreach (var change in _api.WatchAsync(Pods, ct))
        {
            var pod = change["object"]!;
            if ((string?)change["type"] == "DELETED") Witness.Gone(pod);
            else if ((string?)change["type"] is "ADDED" or "MODIFIED")
            {
                Witness.Seen(pod);
                Schedule(pod);
            }
        }
    }

    private void Schedule(JsonNode pod)
    {
        var (spec, phase) = (pod["spec"]!, (string?)pod["status"]?["phase"]);
        var bound = spec["nodeName"] is not null;
        if (pod["metadata"]!["deletionTimestamp"] is not null || (bound && phase is null or "Pending") || (!bound && spec["schedulingGates"] is null or JsonArray { Count: 0 })) _work.Writer.TryWrite((pod, TimeSpan.Zero));
        else if (bound && phase == "Running") _ = LaterAsync(pod, _fate(pod).After);
    }

    private async Task LaterAsync(JsonNode pod, TimeSpan delay)
    {
        await Task.Delay(delay, TimeProvider.System, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _work.Writer.TryWrite((pod, delay));
    }

    private async Task WorkAsync(CancellationToken ct)
    {
        await foreach (var (pod, _) in _work.Reader.ReadAllAsync(ct))
        {
            try
            {
                await StepAsync(pod, ct);
            }
            catch (InvalidOperationException refused) when (refused.Message.Contains(": 404", StringComparison.Ordinal) || refused.Message.Contains(": 409", StringComparison.Ordinal))
            {
                // Gone, or bound or changed already: a newer event is on its way.
            }
        }
    }

    private Task StepAsync(JsonNode pod, CancellationToken ct)
    {
        var metadata = pod["metadata"]!;
        var path = $"api/v1/namespaces/{metadata["namespace"]}/pods/{metadata["name"]}";
        if (metadata["deletionTimestamp"] is not null) return _api.DeleteAsync($"{path}?gracePeriodSeconds=0", ct);
        if (pod["spec"]!["nodeName"] is null) return BindAsync(pod, path, ct);
        return (string?)pod["status"]?["phase"] == "Running" ? EndAsync(pod, path, ct) : TellAsync(path, "Running", """{"running":{"startedAt":"2026-01-01T00:00:00Z"}}""", ct);
    }

    private Task BindAsync(JsonNode pod, string path, CancellationToken ct)
    {
        if (pod["spec"]!["nodeSelector"]?["kubernetes.io/hostname"] is not { } node) return Task.CompletedTask;
        return _api.CreateAsync($"{path}/binding", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Binding",
            ["metadata"] = new JsonObject { ["name"] = (string)pod["metadata"]!["name"]! },
            ["target"] = new JsonObject { ["kind"] = "Node", ["name"] = (string)node! },
        }, ct);
    }

    private Task EndAsync(JsonNode pod, string path, CancellationToken ct)
    {
        var code = _fate(pod).ExitCode;
        return TellAsync(path, code == 0 ? "Succeeded" : "Failed", $$$"""{"terminated":{"exitCode":{{{code.ToString(CultureInfo.InvariantCulture)}}},"reason":"{{{(code == 0 ? "Completed" : "Error")}}}"}}""", ct);
    }

    private Task TellAsync(string path, string phase, string state, CancellationToken ct) => _api.MergeAsync($"{path}/status",
        $$$"""{"status":{"phase":"{{{phase}}}","podIP":"127.0.0.9","podIPs":[{"ip":"127.0.0.9"}],"containerStatuses":[{"name":"main","image":"pause","imageID":"pause","ready":{{{(phase == "Running" ? "true" : "false")}}},"restartCount":0,"state":{{{state}}} }]}}""", ct);
}
