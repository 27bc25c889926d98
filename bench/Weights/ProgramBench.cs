using System.Diagnostics;
using System.Globalization;
using Trestle.Testing;
using Trestle.Testing.Engine;

namespace Trestle.Bench.Weights;

/// <summary>The same with the gateway's program as it runs in a cluster: it watches pods and writes each step to an API server.</summary>
internal static class ProgramBench
{
    private const int Engines = 64;
    private const int WarmUp = 3;
    private const int Updates = 100;
    private const string Service = "policy";

    public static async Task<IEnumerable<BenchRow>> MeasureAsync()
    {
        using var files = new TemporaryDirectory();
        await using var plane = await GatewayPlane.StartAsync();
        await using var farm = await EngineFarm.StartAsync(Engines, new EngineOptions { Transfers = false }, 8080, 8081);
        await plane.ServiceAsync(Service, Engines);
        for (var ordinal = 0; ordinal < Engines; ordinal++) await plane.PodAsync(Service, ordinal, farm.Addresses[ordinal].Host);
        await using var gateway = await GatewayProcess.StartAsync(plane.Plane.Kubeconfig, Service, files.Write("token", "token"));
        await using var trainer = new StandInTrainer(gateway.Weights);
        await Condition.UntilAsync("all engines are known", async () => await trainer.WorldSizeAsync() == Engines, explain: () => Task.FromResult(gateway.Log));
        await trainer.PostAsync("init_weight_transfer_engine", SequentialFanOut.Init(Engines + 1));
        return await UpdatesAsync(gateway, trainer);
    }

    private static async Task<IEnumerable<BenchRow>> UpdatesAsync(GatewayProcess gateway, StandInTrainer trainer)
    {
        using var http = new HttpClient();
        var (watch, took) = (new AnswerWatch(), new List<double>());
        await using var load = new SteadyLoad(http, gateway.Public, 16, tokens: 8, watch.Ask);
        for (var version = 1; version <= WarmUp + Updates; version++)
        {
            var began = Stopwatch.GetTimestamp();
            await trainer.PushAsync(version.ToString(CultureInfo.InvariantCulture));
            watch.Published(version);
            if (version > WarmUp) took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            await WeightsBench.AnswersAsync(load);
        }

        var memory = Memory(gateway.Id);
        await load.StopAsync();
        var at = $"{Engines} engines, keep, the program with an API server";
        return
        [
            new BenchRow($"{at}: an update without its transfer, median", Spread.Median(took), "ms"),
            Limited(new BenchRow($"{at}: an update without its transfer, p99", Spread.Quantile(took, 0.99), "ms"), 1000),
            Limited(new BenchRow($"{at}: requests dropped in {Updates} updates", load.Dropped.Count, "requests"), 0),
            Limited(new BenchRow($"{at}: answers with weights older than were served when they were asked for", watch.Older, "answers"), 0),
            new BenchRow($"{at}: memory (RSS) of the gateway", memory, "MiB"),
        ];
    }

    private static BenchRow Limited(BenchRow row, double goal) => row with { Goal = goal, Met = row.Ours <= goal };

    private static double Memory(int process) =>
        Math.Round(double.Parse(File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024, 1);
}
