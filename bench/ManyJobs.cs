using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.Bench;

/// <summary>1,000 jobs created as fast as the API takes them, while another job holds every GPU: all must become Queued.</summary>
internal static class ManyJobs
{
    private const int Count = 1000;
    private const int Connections = 16;
    private const string Label = "bench=many";

    /// <summary>Times, and the memory of the operator and of the API server before and after.</summary>
    public static async Task<IEnumerable<BenchRow>> MeasureAsync(LocalPlane plane)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        await plane.Http.CreateAsync(ApiCalls.Jobs, Job("holder", nodes: 4, run: "exec sleep 100000"), limit.Token);
        await plane.PhaseAsync("trainingjobs", "holder", ["Running"]);
        var before = Memory(plane, PlanePart.Operator);

        var began = Stopwatch.GetTimestamp();
        var queued = AllQueuedAsync(plane, began, limit.Token);
        var numbers = Enumerable.Range(0, Count);
        await Parallel.ForEachAsync(numbers, new ParallelOptions { MaxDegreeOfParallelism = Connections, CancellationToken = limit.Token },
            async (number, ct) => await plane.Http.CreateAsync(ApiCalls.Jobs, Job($"many-{number:0000}", nodes: 1, run: "true"), ct));
        var created = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var all = await queued;
        var after = Memory(plane, PlanePart.Operator);
        var api = Memory(plane, PlanePart.Api);

        await plane.Http.DeleteAsync($"{ApiCalls.Jobs}?labelSelector={Label}", limit.Token);
        await plane.UntilAsync("the jobs are deleted", async () => (await plane.ListAsync($"{ApiCalls.Jobs}?labelSelector={Label}&limit=1")).Count == 0, TimeSpan.FromMinutes(5));
        return
        [
            new BenchRow("1,000 TrainingJobs: all created", Math.Round(created, 3), "s"),
            new BenchRow("1,000 TrainingJobs: all Queued, from the first request", Math.Round(all, 3), "s"),
            new BenchRow("operator memory (RSS) before the 1,000", before, "MiB"),
            new BenchRow("operator memory (RSS) with the 1,000 queued", after, "MiB"),
            new BenchRow("API server memory (RSS) with the 1,000 queued", api, "MiB"),
        ];
    }

    private static async Task<double> AllQueuedAsync(LocalPlane plane, long began, CancellationToken ct)
    {
        var queued = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var change in plane.Http.WatchAsync($"{ApiCalls.Jobs}?labelSelector={Label}", ct))
        {
            var job = change["object"]!;
            if ((string?)job["status"]?["phase"] == "Queued" && queued.Add((string)job["metadata"]!["name"]!) && queued.Count == Count) return Stopwatch.GetElapsedTime(began).TotalSeconds;
        }

        throw new InvalidOperationException($"the watch ended with {queued.Count} of {Count} jobs queued");
    }

    private static double Memory(LocalPlane plane, PlanePart part) =>
        Math.Round(double.Parse(File.ReadLines($"/proc/{plane.ProcessId(part)}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024, 1);

    private static JsonObject Job(string name, int nodes, string run) => new()
    {
        ["apiVersion"] = "trestle.dev/v1alpha1",
        ["kind"] = "TrainingJob",
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = nodes == 1 ? new JsonObject { ["bench"] = "many" } : null },
        ["spec"] = new JsonObject { ["nodes"] = nodes, ["resources"] = new JsonObject { ["accelerators"] = "H100:8" }, ["run"] = run },
    };
}
