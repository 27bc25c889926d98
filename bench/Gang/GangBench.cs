using Trestle.Testing;
using Trestle.Testing.Hollow;

namespace Trestle.Bench.Gang;

/// <summary>
/// Gangs as objects on an API server, without kubelets: creation, restart after a rank failed, many gangs at once. Where
/// the cluster has JobSet, it does the same in turn, on the same server. The goals are those of the design.
/// </summary>
public static class GangBench
{
    private const int Nodes = 500;
    private const int Ranks = 1000;
    private const int Gangs = 1000;
    private const int Rounds = 3;

    // There are no kubelets that would take up a rank.
    private static readonly Dictionary<string, string?> Settings = new() { ["TRESTLE_START_TIMEOUT"] = "1h" };

    /// <summary>All rows. <paramref name="say"/> is told what is being measured.</summary>
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(say);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(60));
        await using var cluster = await OpenAsync(limit.Token);
        await using var ours = OperatorProcess.Start(cluster.Kubeconfig, Settings);
        say($"on {cluster.Description}{(cluster.HasJobSet ? ", beside JobSet" : "")}");
        var gangs = new TrestleGangs(ours.Id);
        var mine = await MeasureAsync(cluster, gangs, say, limit.Token);
        say("a bare client");
        var bare = await EachAsync(Rounds, _ => BareClient.MeasureAsync(cluster, Ranks, limit.Token));
        var peer = cluster.HasJobSet ? await MeasureAsync(cluster, new JobSetGangs(), say, limit.Token) : null;
        return [.. Rows(mine, peer, Spread.Median(bare.Select(round => round.Made)), Spread.Median(bare.Select(round => round.LetGo)))];
    }

    /// <summary>What the operator holds in memory when there are 10,000 jobs with 20,000 pods.</summary>
    public static async Task<IReadOnlyList<BenchRow>> ScaleAsync(Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(say);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(60));
        await using var cluster = await OpenAsync(limit.Token);
        await using var ours = OperatorProcess.Start(cluster.Kubeconfig, Settings);
        say($"10,000 jobs of 2 ranks on {cluster.Description}");
        var resident = 0.0;
        var (seconds, _) = await new GangRun(cluster, new TrestleGangs(ours.Id), limit.Token).ManyGangsAsync("full", 10_000, 2, gpu: false, () => resident = ProcessUsage.ResidentMiB([ours.Id]));
        return
        [
            new BenchRow("operator memory (RSS) with 10,000 jobs and 20,000 pods", resident, "MiB") { Goal = 300, Met = resident < 300 },
            new BenchRow("10,000 jobs of 2 ranks at once: all pods made and let go", Math.Round(seconds, 1), "s"),
        ];
    }

    private static Task<HollowCluster> OpenAsync(CancellationToken ct) =>
        HollowCluster.OpenAsync(Nodes, ct, Environment.GetEnvironmentVariable("KUBECONFIG") is { Length: > 0 } given ? given : null);

    private static async Task<Measured> MeasureAsync(HollowCluster cluster, IGangSystem system, Action<string> say, CancellationToken ct)
    {
        var name = system is TrestleGangs ? "ours" : "jobset";
        var run = new GangRun(cluster, system, ct);
        say($"{name}: warming up");
        await run.OneGangAsync($"{name}-warm", 50);
        var processes = system.Processes();
        var before = ProcessUsage.CpuSeconds(processes);
        say($"{name}: one gang of {Ranks}");
        var single = await EachAsync(Rounds, round => run.OneGangAsync($"{name}-{round}", Ranks));
        say($"{name}: {Gangs} gangs of 4");
        var many = await EachAsync(1, round => run.ManyGangsAsync($"{name}-many-{round}", Gangs, 4, gpu: true));
        return new Measured(
            Spread.Median(single.Select(round => round.Exist)),
            Spread.Median(single.Select(round => round.Create)),
            Spread.Median(single.Select(round => round.Restart)),
            Spread.Median(single.Select(round => round.RestartExist)),
            Spread.Median(many.Select(round => round.Seconds)),
            Spread.Median(many.Select(round => round.Writes)),
            Math.Round(ProcessUsage.CpuSeconds(processes) - before, 2),
            ProcessUsage.PeakMiB(processes));
    }

    private static async Task<List<T>> EachAsync<T>(int rounds, Func<int, Task<T>> measure)
    {
        var results = new List<T>();
        for (var round = 0; round < rounds; round++) results.Add(await measure(round));
        return results;
    }

    private static IEnumerable<BenchRow> Rows(Measured ours, Measured? peer, double bareMade, double bareLetGo)
    {
        yield return Beside($"one job of {Ranks:#,0} ranks: all pods made and let go", ours.Create, "s", "JobSet", peer?.Create, 0.6);
        yield return Beside($"one job of {Ranks:#,0} ranks: all pods made", ours.Exist, "s", "bare client", bareMade, 1.3);
        yield return Beside($"one job of {Ranks:#,0} ranks: all pods made and let go", ours.Create, "s", "bare client", bareLetGo, 1.3);
        yield return Beside($"one job of {Ranks:#,0} ranks: rank failed, all of the next attempt made", ours.RestartExist, "s", "JobSet", peer?.RestartExist, null);
        yield return Beside($"one job of {Ranks:#,0} ranks: rank failed, all of the next attempt made and let go", ours.Restart, "s", "JobSet", peer?.Restart, 0.5);
        yield return Beside($"{Gangs:#,0} jobs of 4 ranks at once: all pods made and let go", ours.Many, "s", "JobSet", peer?.Many, 0.6);
        yield return Beside("API writes of anybody per job of 4 ranks, from creation to let go", ours.Writes, "writes", "JobSet", peer?.Writes, null);
        yield return Beside("CPU of all the rounds above", ours.Cpu, "s", "JobSet and controller-manager", peer?.Cpu, null);
        yield return Beside("memory at the most (RSS)", ours.Memory, "MiB", "JobSet and controller-manager", peer?.Memory, 1);
    }

    // A goal that is a share of the peer's figure.
    private static BenchRow Beside(string metric, double ours, string unit, string against, double? theirs, double? share)
    {
        var row = new BenchRow(metric, ours, unit);
        if (theirs is null) return row;
        var goal = share is null ? (double?)null : Math.Round(theirs.Value * share.Value, 3);
        return row with { Against = against, Theirs = theirs, Goal = goal, Met = goal is null ? null : ours <= goal };
    }

    private sealed record Measured(double Exist, double Create, double Restart, double RestartExist, double Many, double Writes, double Cpu, double Memory);
}
