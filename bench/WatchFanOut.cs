using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.Bench;

/// <summary>100 watches of one collection: how soon a write is at all of them, and how many events a second the server gives out.</summary>
internal static class WatchFanOut
{
    private const int Watchers = 100;
    private const int Paced = 100;
    private const int Burst = 1000;
    private const int Connections = 8;
    private const string Path = "api/v1/namespaces/default/configmaps";

    /// <summary>First writes one at a time, each seen by all before the next; then a burst.</summary>
    public static async Task<IEnumerable<BenchRow>> MeasureAsync(LocalPlane plane)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await plane.Http.CreateAsync(Path, ConfigMap("watched", 0), stop.Token);
        using var seen = new CountdownEvent(Watchers);
        var watchers = Enumerable.Range(0, Watchers).Select(_ => CountAsync(plane, seen, stop.Token)).ToList();
        await Task.Run(() => seen.Wait(stop.Token));

        var delays = new List<double>();
        for (var round = 1; round <= Paced; round++)
        {
            seen.Reset(Watchers);
            var began = Stopwatch.GetTimestamp();
            await plane.Http.MergeAsync($"{Path}/watched", $$$"""{"data":{"round":"{{{round}}}"}}""", stop.Token);
            await Task.Run(() => seen.Wait(stop.Token));
            delays.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        seen.Reset(Watchers * Burst);
        var burst = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, Burst), new ParallelOptions { MaxDegreeOfParallelism = Connections, CancellationToken = stop.Token },
            async (number, ct) => await plane.Http.CreateAsync(Path, ConfigMap($"burst-{number:0000}", number), ct));
        await Task.Run(() => seen.Wait(stop.Token));
        var seconds = Stopwatch.GetElapsedTime(burst).TotalSeconds;

        await stop.CancelAsync();
        await Task.WhenAll(watchers);
        return
        [
            new BenchRow("watch fan-out: a write seen by all of 100 watchers, median", Spread.Median(delays), "ms"),
            new BenchRow("watch fan-out: a write seen by all of 100 watchers, 99 of 100 writes", Spread.Quantile(delays, 0.99), "ms"),
            new BenchRow("watch fan-out: events given out to 100 watchers", Math.Round(Watchers * Burst / seconds), "1/s"),
        ];
    }

    // Lines are counted and not parsed: the reader must not be what is measured.
    private static async Task CountAsync(LocalPlane plane, CountdownEvent seen, CancellationToken ct)
    {
        try
        {
            using var lines = await plane.Http.OpenAsync($"{Path}?watch=true&labelSelector=bench=fan-out", ct);
            while (await lines.ReadLineAsync(ct) is not null) seen.Signal();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && ct.IsCancellationRequested)
        {
            // The end of the measurement.
        }
    }

    private static JsonObject ConfigMap(string name, int number) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["bench"] = "fan-out" } },
        ["data"] = new JsonObject { ["round"] = number.ToString(CultureInfo.InvariantCulture) },
    };
}
