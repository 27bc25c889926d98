using Trestle.Bench;
using Trestle.Bench.Admission;
using Trestle.Bench.CacheMount;
using Trestle.Bench.Gang;
using Trestle.Bench.Slurm;
using Trestle.Bench.Weights;
using Trestle.Testing;

if (args is ["s3-server", var parent])
{
    await CacheMountBench.ServeAsync(parent);
    return 0;
}

if (args is not ["admission" or "cachemount" or "gang" or "local" or "scale" or "slurm" or "weights"])
{
    await Console.Error.WriteLineAsync("Trestle.Bench: name a benchmark: admission, cachemount, gang, local, scale, slurm, weights");
    return 2;
}

var directory = RepositoryFiles.Path("bench");
var machine = await Machine.ReadAsync();
Console.WriteLine($"measuring on {machine}");
var rows = await (args[0] switch
{
    "admission" => AdmissionBench.RunAsync(Console.WriteLine),
    "cachemount" => CacheMountBench.RunAsync(Console.WriteLine),
    "gang" => GangBench.RunAsync(Console.WriteLine),
    "scale" => GangBench.ScaleAsync(Console.WriteLine),
    "slurm" => SlurmBench.RunAsync(Console.WriteLine),
    "weights" => WeightsBench.RunAsync(Console.WriteLine),
    _ => LocalBench.RunAsync(Console.WriteLine),
});
var result = new BenchResult(args[0], Environment.GetEnvironmentVariable("TRESTLE_BENCH_COMMIT") ?? "unknown", machine, rows);
Console.WriteLine();
Console.Write(Figures.Table(result));
var results = Path.Combine(directory, "results");
result.Write(results);
await File.WriteAllTextAsync(Path.Combine(directory, "README.md"), Figures.Document(Directory.EnumerateFiles(results, "*.json").Select(BenchResult.Read)));
return 0;
