using System.Diagnostics;

namespace Trestle.Bench.Admission;

/// <summary>
/// The operator's admission pass over a busy cluster whose jobs come, end, fail and are preempted from pass to pass. Each size
/// is measured as the operator runs it: what it decides from its caches, wait reasons included, and the same with the statuses
/// written to a store in memory, which is all of a pass but the network.
/// </summary>
internal static class AdmissionBench
{
    private const int WarmUp = 40;

    private static readonly Size[] Sizes =
    [
        new(1_000, 10_000, Passes: 300) { P99 = 50 },
        new(5_000, 50_000, Passes: 100) { P95 = 250 },
    ];

    /// <summary>All rows. <paramref name="say"/> is told what is being measured.</summary>
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(Action<string> say)
    {
        var rows = new List<BenchRow>();
        foreach (var size in Sizes)
        {
            say($"{size.Nodes:#,0} nodes, {size.Queued:#,0} gangs queued");
            rows.AddRange(await MeasureAsync(size, say));
        }

        return rows;
    }

    private static async Task<IEnumerable<BenchRow>> MeasureAsync(Size size, Action<string> say)
    {
        using var life = new ClusterLife(size.Nodes, size.Queued);
        List<double> decided = [], whole = [], bytes = [], cpu = [];
        var (admitted, preempted) = (0, 0);
        for (var pass = 0; pass < WarmUp + size.Passes; pass++)
        {
            life.Step();
            var (allocated, used) = (GC.GetTotalAllocatedBytes(precise: true), Environment.CpuUsage.TotalTime);
            var began = Stopwatch.GetTimestamp();
            var decision = life.Scheduler.Decide();
            var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            (allocated, used) = (GC.GetTotalAllocatedBytes(precise: true) - allocated, Environment.CpuUsage.TotalTime - used);
            began = Stopwatch.GetTimestamp();
            await life.Scheduler.ApplyAsync(decision, CancellationToken.None);
            if (pass < WarmUp) continue;
            decided.Add(took);
            whole.Add(took + Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            bytes.Add(allocated / 1048576d);
            cpu.Add(used.TotalMilliseconds);
            admitted += decision.Pass.Result.Admitted.Count;
            preempted += decision.Pass.Result.Evictions.Count;
        }

        say($"{life.Describe()}; {admitted:#,0} admitted and {preempted:#,0} preempted in {size.Passes} passes");
        return Rows(size, decided, whole, bytes, cpu);
    }

    private static IEnumerable<BenchRow> Rows(Size size, List<double> decided, List<double> whole, List<double> bytes, List<double> cpu)
    {
        var at = $"{size.Nodes:#,0} nodes, {size.Queued:#,0} gangs queued";
        foreach (var (share, name, goal) in new[] { (0.5, "median", null), (0.95, "p95", size.P95), (0.99, "p99", size.P99) })
        {
            yield return Limited($"{at}: pass decided, {name}", Spread.Quantile(decided, share), goal);
            yield return new BenchRow($"{at}: pass with its writes to memory, {name}", Spread.Quantile(whole, share), "ms");
        }

        yield return new BenchRow($"{at}: CPU of a decision, with the collector, median", Spread.Median(cpu), "ms");
        yield return new BenchRow($"{at}: allocated by a decision, median", Spread.Median(bytes), "MiB");
    }

    private static BenchRow Limited(string metric, double ours, double? goal) => new(metric, ours, "ms") { Goal = goal, Met = goal is null ? null : ours < goal };

    private sealed record Size(int Nodes, int Queued, int Passes)
    {
        public double? P95 { get; init; }

        public double? P99 { get; init; }
    }
}
