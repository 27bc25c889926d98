using System.Diagnostics;
using System.Text.Json.Nodes;
using Trestle.Testing;
using Trestle.Testing.Hollow;

namespace Trestle.Bench.Gang;

/// <summary>A client that does nothing but create gated pods and let them go, as many at a time as the operator does: the least that any system with gates needs on this server.</summary>
internal static class BareClient
{
    private const int Connections = 16;

    /// <summary>Seconds until so many pods are made, and until they are let go as well; they are deleted afterwards.</summary>
    public static async Task<(double Made, double LetGo)> MeasureAsync(HollowCluster cluster, int pods, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        await EachAsync(name => cluster.Http.CreateAsync(ApiCalls.Pods, Pod(name), ct));
        var made = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await EachAsync(name => cluster.Http.MergeAsync($"{ApiCalls.Pods}/{name}", """{"spec":{"schedulingGates":[],"nodeSelector":{"kubernetes.io/hostname":"hollow-000"}}}""", ct));
        var letGo = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await cluster.Http.DeleteAsync($"{ApiCalls.Pods}?labelSelector=bench%3Dbare", ct);
        while ((await cluster.Http.ReadAsync($"{ApiCalls.Pods}?labelSelector=bench%3Dbare&limit=1", ct))!["items"]!.AsArray().Count > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ct);
        return (made, letGo);

        Task EachAsync(Func<string, Task> act) => Parallel.ForEachAsync(Enumerable.Range(0, pods), new ParallelOptions { MaxDegreeOfParallelism = Connections, CancellationToken = ct }, async (number, _) => await act($"bare-{number:0000}"));
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
