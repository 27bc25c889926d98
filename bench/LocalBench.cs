using Trestle.Testing;

namespace Trestle.Bench;

/// <summary>The one-machine control plane: 4 virtual nodes of 8 declared GPUs, started for each measurement and gone after it.</summary>
public static class LocalBench
{
    /// <summary>All rows, in order. <paramref name="say"/> is told what is being measured.</summary>
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(say);
        var rows = new List<BenchRow>();
        foreach (var (what, measure) in new (string, Func<LocalPlane, Task<IEnumerable<BenchRow>>>)[]
        {
            ("apply to first log", FirstLog.MeasureAsync),
            ("1,000 jobs", ManyJobs.MeasureAsync),
            ("watch fan-out", WatchFanOut.MeasureAsync),
        })
        {
            say($"measuring {what}");
            await using var plane = await LocalPlane.StartAsync();
            rows.AddRange(await measure(plane));
        }

        return rows;
    }
}
