using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Local.Nodes.Agent;
using Trestle.Local.Plane.Slurm;

namespace Trestle.Local.Plane;

/// <summary>Starts the parts in order, says how far it is, keeps them running, and stops them in the reverse order.</summary>
internal sealed class Supervisor(PlaneDirectory directory, PlaneSettings settings, Programs programs, TimeProvider time, ILoggerFactory logs, TextWriter progress)
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ContactLimit = TimeSpan.FromSeconds(60);

    // The bridge has looked again by then.
    private static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private readonly ILogger _log = logs.CreateLogger("Trestle.Plane");

    /// <summary>Runs until cancelled. Throws <see cref="PlaneException"/> when the plane does not come up.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var began = time.GetUtcNow();
        programs.WriteWrappers(directory.Bin);
        var parts = new List<(CancellationTokenSource Stop, Task Run)>();
        try
        {
            parts.Add(Start("api"));
            using (var api = await ApiAnswersAsync(ct))
            {
                await progress.WriteLineAsync($"Kubernetes API answers at {api.Address.GetLeftPart(UriPartial.Authority)}");
                await ClusterSetup.InstallAsync(api, settings, ct);
                parts.Add(Start("nodes"));
                if (!settings.NoOperator) parts.Add(Start("operator"));
                if (settings.Slurm.Count > 0) parts.Add(await BridgeAsync(api, ct));
                await NodesReadyAsync(api, began, ct);
                await progress.WriteLineAsync($"{settings.Nodes} virtual {(settings.Nodes == 1 ? "node is" : "nodes are")} ready{Gpus()}");
                foreach (var cluster in settings.Slurm) await ContactAsync(api, cluster, ct);
            }

            await File.WriteAllTextAsync(directory.Ready, $"{Environment.ProcessId}\n", ct);
            PlaneLog.Ready(_log);
            await progress.WriteLineAsync($"KUBECONFIG={directory.Kubeconfig}");
            await progress.FlushAsync(ct);
            await Task.Delay(Timeout.InfiniteTimeSpan, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Stopped while starting.
        }
        finally
        {
            File.Delete(directory.Ready);
            // The API goes last, as the others still have something to write.
            foreach (var (stop, run) in Enumerable.Reverse(parts))
            {
                await stop.CancelAsync();
                await run;
                stop.Dispose();
            }
        }
    }

    private (CancellationTokenSource Stop, Task Run) Start(string part)
    {
        var stop = new CancellationTokenSource();
        return (stop, new PartProcess(part, directory, programs.Trestle, time, _log).RunAsync(stop.Token));
    }

    private async Task<(CancellationTokenSource Stop, Task Run)> BridgeAsync(KubeConnection api, CancellationToken ct)
    {
        foreach (var cluster in settings.Slurm) await ClusterSetup.AttachAsync(api, cluster, ct);
        return Start("bridge");
    }

    // A login node may refuse now and answer the next time; the bridge asks again by itself.
    private async Task ContactAsync(KubeConnection api, SlurmAttachment cluster, CancellationToken ct)
    {
        JsonObject? seen = null;
        long? refused = null;
        await UntilAsync(async () =>
        {
            seen = await api.FindAsync($"/apis/{ApiGroup.ApiVersion}/slurmclusters/{cluster.Name}", ct);
            refused = SlurmClusterFacts.IsReachable(seen) == false ? refused ?? time.GetTimestamp() : null;
            return SlurmClusterFacts.IsReachable(seen) == true || (refused is { } since && time.GetElapsedTime(since) > SecondLook);
        }, ct, ContactLimit);
        var message = SlurmClusterFacts.Message(seen);
        if (SlurmClusterFacts.IsReachable(seen) != true) throw new PlaneException($"Slurm cluster {cluster.Name} ({cluster.Where}) can't be used: {message ?? $"the bridge has not answered; its log is {directory.Log("bridge")}{LastLine("bridge")}"}");
        await progress.WriteLineAsync($"Slurm cluster {cluster.Name} answers from {cluster.Where}: {SlurmClusterFacts.Summary(seen!)}{(message is null ? "" : $"; but {message}")}");
    }

    private string Gpus() => settings is { GpuType: { } type, GpuCount: > 0 } ? $", each declaring {type}:{settings.GpuCount} (declared, not real)" : "";

    private async Task<KubeConnection> ApiAnswersAsync(CancellationToken ct)
    {
        KubeConnection? api = null;
        var answered = await UntilAsync(async () =>
        {
            if (!File.Exists(directory.Kubeconfig)) return false;
            api?.Dispose();
            api = KubeConnection.Open(directory.Kubeconfig);
            if (api.Address.Port != settings.ApiPort) return false; // the kubeconfig of an earlier start
            using var answer = await api.StreamAsync("/readyz", ct);
            return true;
        }, ct);
        return answered ? api! : throw new PlaneException($"the Kubernetes API did not come up; its log is {directory.Log("api")}{LastLine("api")}");
    }

    private async Task NodesReadyAsync(KubeConnection api, DateTimeOffset since, CancellationToken ct)
    {
        var ready = await UntilAsync(async () =>
        {
            var list = await api.FindAsync("/api/v1/nodes", ct);
            var names = Enumerable.Range(0, settings.Nodes).Select(i => $"node-{i}").ToHashSet();
            return (list?["items"]?.AsArray() ?? []).Count(n => names.Contains((string)n!["metadata"]!["name"]!) && (IsReady(n, since) || IsFailed(n))) == settings.Nodes;
        }, ct);
        if (!ready) throw new PlaneException($"the virtual nodes did not come up; their log is {directory.Log("nodes")}{LastLine("nodes")}");
    }

    // What an earlier start left on record says nothing; a heartbeat is written to the second.
    private static bool IsReady(JsonNode node, DateTimeOffset since) => (node["status"]?["conditions"]?.AsArray() ?? []).Any(c =>
        (string?)c!["type"] == "Ready" && (string?)c["status"] == "True"
        && DateTimeOffset.TryParse((string?)c["lastHeartbeatTime"], CultureInfo.InvariantCulture, out var beat) && beat > since - TimeSpan.FromSeconds(1));

    private static bool IsFailed(JsonNode node) => (string?)node["metadata"]!["annotations"]?[NodeObjects.FaultAnnotation] == "fail";

    private async Task<bool> UntilAsync(Func<Task<bool>> condition, CancellationToken ct, TimeSpan? limit = null)
    {
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < (limit ?? StartLimit))
        {
            try
            {
                if (await condition()) return true;
            }
            catch (Exception e) when (!ct.IsCancellationRequested && e is HttpRequestException or IOException or OperationCanceledException or KubeAnswerException or YamlDotNet.Core.YamlException)
            {
                // Not yet.
            }

            await Task.Delay(Look, time, ct);
        }

        return false;
    }

    private string LastLine(string part) =>
        Nodes.Sandbox.ProcessTable.Read(directory.Log(part))?.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() is { } line ? $", which ends with: {line.Trim()}" : "";
}
