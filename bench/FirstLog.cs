using System.Diagnostics;
using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.Bench;

/// <summary>From the request that creates a job of four ranks to the first line of log that a client reads from each.</summary>
internal static class FirstLog
{
    private const int Ranks = 4;
    private const int Rounds = 9;

    /// <summary>Medians of several jobs, one after another; the first job warms everything up and is not counted.</summary>
    public static async Task<IEnumerable<BenchRow>> MeasureAsync(LocalPlane plane)
    {
        var rounds = new List<double[]>();
        for (var round = 0; round <= Rounds; round++) rounds.Add(await OneJobAsync(plane, $"first-log-{round}"));
        var counted = rounds.Skip(1).ToList();
        return
        [
            new BenchRow("apply to the first log line of a 4-rank job, first rank", Spread.Median(counted.Select(r => r.Min())), "s"),
            new BenchRow("apply to the first log line of a 4-rank job, all ranks", Spread.Median(counted.Select(r => r.Max())), "s"),
        ];
    }

    private static async Task<double[]> OneJobAsync(LocalPlane plane, string name)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var began = Stopwatch.GetTimestamp();
        await plane.Http.CreateAsync(ApiCalls.Jobs, Job(name), limit.Token);
        var started = new HashSet<string>(StringComparer.Ordinal);
        var lines = new List<Task<double>>();
        await foreach (var change in plane.Http.WatchAsync($"{ApiCalls.Pods}?labelSelector=trestle.dev/job-name={name}", limit.Token))
        {
            var pod = change["object"]!;
            if ((string?)pod["status"]?["phase"] is not ("Running" or "Succeeded") || !started.Add((string)pod["metadata"]!["name"]!)) continue;
            lines.Add(FirstLineAsync(plane, (string)pod["metadata"]!["name"]!, began, limit.Token));
            if (lines.Count == Ranks) break;
        }

        var seconds = await Task.WhenAll(lines);
        await plane.PhaseAsync("trainingjobs", name, ["Succeeded"]);
        await plane.Http.DeleteAsync($"{ApiCalls.Jobs}/{name}", limit.Token);
        return seconds;
    }

    private static async Task<double> FirstLineAsync(LocalPlane plane, string pod, long began, CancellationToken ct)
    {
        using var log = await plane.Http.OpenAsync($"{ApiCalls.Pods}/{pod}/log?container=main&follow=true", ct);
        if (await log.ReadLineAsync(ct) is null) throw new InvalidOperationException($"{pod} ended without a line of log");
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static JsonObject Job(string name) => new()
    {
        ["apiVersion"] = "trestle.dev/v1alpha1",
        ["kind"] = "TrainingJob",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject
        {
            ["nodes"] = Ranks,
            ["resources"] = new JsonObject { ["accelerators"] = "H100:8" },
            ["run"] = "echo rank $TRESTLE_NODE_RANK of $TRESTLE_NUM_NODES",
        },
    };
}
