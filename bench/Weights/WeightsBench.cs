using System.Diagnostics;
using System.Globalization;
using Trestle.Api.V1Alpha1;
using Trestle.Testing.Engine;

namespace Trestle.Bench.Weights;

/// <summary>
/// What an update of weights costs beside the transfer: pause, start, finish, cache, verify and resume of all replicas, while clients
/// ask. Engines are stand-ins at loopback addresses in this process, as are the gateway and the clients: all share its cores.
/// The peer does the same with a loop, one engine after another, without verifying or writing anything.
/// </summary>
internal static class WeightsBench
{
    private const int WarmUp = 3;
    private const int PeerUpdates = 15;
    private const int AnswersBetween = 16;
    private static readonly EngineOptions Engine = new() { Transfers = false, TokenTime = TimeSpan.FromMilliseconds(5) };

    private static readonly Size[] Sizes =
    [
        new(64, Clients: 16, Updates: 1000) { P99 = 1000, Skew = 250, Writes = 70 },
        new(256, Clients: 16, Updates: 40) { P99 = 2500 },
    ];

    /// <summary>All rows. <paramref name="say"/> is told what is being measured.</summary>
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(Action<string> say)
    {
        var rows = new List<BenchRow>();
        foreach (var size in Sizes)
        {
            foreach (var mode in new[] { PauseMode.Keep, PauseMode.Wait })
            {
                say($"{size.Engines} engines, mode {Word(mode)}, {Count(size)} updates");
                rows.AddRange(await MeasureAsync(size, mode, say));
            }
        }

        say("64 engines, the gateway as a program with an API server");
        rows.AddRange(await ProgramBench.MeasureAsync());
        using var self = Process.GetCurrentProcess();
        rows.Add(new BenchRow("most memory (RSS) of the process with engines, clients and gateway", Math.Round(self.PeakWorkingSet64 / 1048576d, 1), "MiB"));
        return rows;
    }

    private static async Task<IEnumerable<BenchRow>> MeasureAsync(Size size, PauseMode mode, Action<string> say)
    {
        var (run, dropped, older) = await OursAsync(size, mode, say);
        return Rows(size, mode, run, await PeerAsync(size, mode), dropped, older);
    }

    private static async Task<((List<double> Took, List<double> Skews, double Writes) Run, int Dropped, int Older)> OursAsync(Size size, PauseMode mode, Action<string> say)
    {
        await using var world = await FarmGateway.StartAsync(size.Engines, Engine, new WeightsSpec
        {
            Source = new WeightsSource { Type = WeightsSourceType.Trainer, TrainerTask = "trainer" },
            PauseMode = mode,
        });
        await using var trainer = world.Trainer();
        await trainer.PostAsync("init_weight_transfer_engine", SequentialFanOut.Init(size.Engines + 1));
        var watch = new AnswerWatch();
        await using var load = new SteadyLoad(world.Client, world.Gateway.PublicAt, size.Clients, tokens: 8, watch.Ask);
        var run = await UpdatesAsync(world, trainer, watch, load, Count(size));
        await load.StopAsync();
        say($"{load.Answers:#,0} answers{string.Concat(load.Dropped.Take(3).Select(why => "; dropped: " + why))}");
        return (run, load.Dropped.Count, watch.Older);
    }

    private static async Task<(List<double> Took, List<double> Skews, double Writes)> UpdatesAsync(FarmGateway world, StandInTrainer trainer, AnswerWatch watch, SteadyLoad load, int updates)
    {
        var (took, skews, writes) = (new List<double>(), new List<double>(), 0);
        for (var version = 1; version <= WarmUp + updates; version++)
        {
            var (began, before) = (Stopwatch.GetTimestamp(), world.Board.Writes);
            await trainer.PushAsync(version.ToString(CultureInfo.InvariantCulture));
            watch.Published(version);
            var ms = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            await AnswersAsync(load);
            if (version <= WarmUp) continue;
            took.Add(ms);
            skews.Add(Stopwatch.GetElapsedTime(world.Farm.Engines.Min(engine => engine.PausedAt), world.Farm.Engines.Max(engine => engine.PausedAt)).TotalMilliseconds);
            writes = Math.Max(writes, world.Board.Writes - before);
        }

        return (took, skews, writes);
    }

    // A trainer's steps take time, in which clients are answered.
    internal static async Task AnswersAsync(SteadyLoad load)
    {
        var enough = load.Answers + AnswersBetween;
        while (load.Answers < enough) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
    }

    // Clients ask the engines themselves: nobody stands before them.
    private static async Task<List<double>> PeerAsync(Size size, PauseMode mode)
    {
        await using var farm = await EngineFarm.StartAsync(size.Engines, Engine);
        using var http = new HttpClient();
        var loads = farm.Addresses.Take(size.Clients).Select(engine => new SteadyLoad(http, engine, 1)).ToList();
        using var peer = new SequentialFanOut(farm.Addresses, Word(mode));
        foreach (var engine in farm.Addresses) await SequentialFanOut.InitAsync(http, engine);
        var took = new List<double>();
        for (var update = 0; update < 1 + PeerUpdates; update++)
        {
            var began = Stopwatch.GetTimestamp();
            await peer.UpdateAsync($"peer-{update}");
            if (update > 0) took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        foreach (var load in loads) await load.DisposeAsync();
        return took;
    }

    private static IEnumerable<BenchRow> Rows(Size size, PauseMode mode, (List<double> Took, List<double> Skews, double Writes) run, List<double> peer, int dropped, int older)
    {
        var at = $"{size.Engines} engines, {Word(mode)}";
        const string Against = "a loop over the engines";
        yield return new BenchRow($"{at}: an update without its transfer, median", Spread.Median(run.Took), "ms") { Against = Against, Theirs = Spread.Median(peer) };
        yield return Limited(new BenchRow($"{at}: an update without its transfer, p99", Spread.Quantile(run.Took, 0.99), "ms") { Against = Against, Theirs = Spread.Quantile(peer, 0.99) }, size.P99);
        yield return Limited(new BenchRow($"{at}: from the first engine paused to the last, p99", Spread.Quantile(run.Skews, 0.99), "ms"), size.Skew);
        yield return Limited(new BenchRow($"{at}: requests dropped in {run.Took.Count:#,0} updates", dropped, "requests"), 0);
        yield return Limited(new BenchRow($"{at}: answers with weights older than were served when they were asked for", older, "answers"), 0);
        yield return Limited(new BenchRow($"{at}: most writes to the board (in memory here, the API server in a cluster) in an update", run.Writes, "writes"), size.Writes);
    }

    private static BenchRow Limited(BenchRow row, double? goal) => goal is null ? row : row with { Goal = goal, Met = row.Ours <= goal };

    private static string Word(PauseMode mode) => mode == PauseMode.Keep ? "keep" : "wait";

    private static int Count(Size size) =>
        int.TryParse(Environment.GetEnvironmentVariable("TRESTLE_BENCH_UPDATES"), NumberStyles.None, CultureInfo.InvariantCulture, out var updates) && updates > 0 ? updates : size.Updates;

    private sealed record Size(int Engines, int Clients, int Updates)
    {
        public double? P99 { get; init; }

        public double? Skew { get; init; }

        public double? Writes { get; init; }
    }
}
