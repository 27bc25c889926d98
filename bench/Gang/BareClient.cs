using System.Diagnostics;
using System.Text.Json.Nodes;
using Trestle.Testing;
using Trestle.Testing.Hollow;

namespace Trestle.Bench.Gang;

/// <summary>A client that does nothing but create gated pods, as many at a time as the operator does: the least that any system needs on this server.</summary>
internal static class BareClient
{
    private const int Connections = 16;

    /// <summary>Seconds for so many pods; they are deleted afterwards.</summary>
    public static async Task<double> CreateAsync(HollowCluster cluster, int pods, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, pods), new ParallelOptions { MaxDegreeOfParallelism = Connections, CancellationToken = ct },
            async (number, token) => await cluster.Http.CreateAsync(ApiCalls.Pods, Pod($"bare-{number:0000}"), token));
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await cluster.Http.DeleteAsync($"{ApiCalls.Pods}?labelSelector=bench%3Dbare", ct);
        while ((await cluster.Http.ReadAsync($"{ApiCalls.Pods}?labelSelector=bench%3Dbare&limit=1", ct))!["items"]!.AsArray().Count > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ct);
        return seconds;
    }

    private static JsonObject Pod(string name) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Pod",
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["bench"] = "bare" } },
        ["spec"] = new JsonObject
        {
            ["restartPolicy"] = "Never",
            ["schedulingGates"] = new JsonArray(new JsonObject { ["name"] = "bench.trestle.dev/held" }),
            ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = "pause", ["resources"] = new JsonObject { ["limits"] = new JsonObject { ["nvidia.com/gpu"] = "1" } } }),
        },
    };
}
