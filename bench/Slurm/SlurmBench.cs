using System.Diagnostics;
using System.Globalization;
using Trestle.Bench.Gang;
using Trestle.Bridge.Slurm;

namespace Trestle.Bench.Slurm;

/// <summary>
/// The bridge with a real Slurm of one machine, beside OpenSSH's client with sbatch: submissions, the status of many jobs, the way from
/// a job's end to its status. Sizes are the design's; TRESTLE_BENCH_SHARE=10 takes a tenth of them, to try it.
/// </summary>
public static class SlurmBench
{
    private const double Interval = 5;
    private static readonly int Share = int.TryParse(Environment.GetEnvironmentVariable("TRESTLE_BENCH_SHARE"), NumberStyles.None, CultureInfo.InvariantCulture, out var share) && share > 0 ? share : 1;
    private static readonly int Submissions = 500 / Share;
    private static readonly int Tracked = 5000 / Share;
    private static readonly int Ends = 40 / Share;
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(60);

    /// <summary>All rows. <paramref name="say"/> is told what is being measured.</summary>
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(say);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(40));
        await using var cluster = await BenchedCluster.StartAsync($"{Interval}s", limit.Token);
        await using var client = new SshClient(cluster.Slurm);

        // Jobs that wait: what is measured is the way to Slurm, not what it starts.
        (await cluster.Slurm.RunAsRootAsync("scontrol update partition=gpu state=down")).ShouldExit(0);
        List<BenchRow> rows = [.. await SubmissionsAsync(cluster, client, say, limit.Token), .. await StatusAsync(cluster, client, say, limit.Token)];
        rows.Add(await EndsAsync(cluster, say, limit.Token));
        return rows;
    }

    private static async Task<IEnumerable<BenchRow>> SubmissionsAsync(BenchedCluster cluster, SshClient client, Action<string> say, CancellationToken ct)
    {
        await cluster.SubmitAsync("warm", 20, "gpu", "true", ct);
        await cluster.UntilAsync("warm", 20, status => status["jobId"] is not null, null, ct);
        say($"ssh login sbatch, {Submissions / 10} times");
        var each = await client.EachItsConnectionAsync(Submissions / 10);
        say($"sbatch over one open connection, {Submissions} times");
        var one = await client.OneConnectionAsync(Submissions);
        say($"a remote loop of {Submissions} sbatch");
        var loop = await client.RemoteLoopAsync(Submissions);
        say($"{Submissions} SlurmJobs");
        var began = Stopwatch.GetTimestamp();
        var all = cluster.UntilAsync("sent", Submissions, status => status["jobId"] is not null, null, ct);
        await cluster.SubmitAsync("sent", Submissions, "gpu", "true", ct);
        await all;
        var ours = Math.Round(Submissions / Stopwatch.GetElapsedTime(began).TotalSeconds, 1);
        var metric = $"{Submissions} jobs at once: in Slurm, from the object's creation to the id in its status";
        return
        [
            Faster(metric, ours, "ssh login sbatch for each", each, 20),
            Faster(metric, ours, "sbatch one after the other over one connection", one, 2),
            new BenchRow(metric, ours, "jobs/s") { Against = "a loop in one remote shell", Theirs = Math.Round(loop, 1) },
            await OnceAsync(cluster),
        ];
    }

    private static async Task<BenchRow> OnceAsync(BenchedCluster cluster)
    {
        var names = (await cluster.Slurm.RunAsRootAsync("squeue -h -a -t all -o %j")).ShouldExit(0).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(name => name.EndsWith("-a1", StringComparison.Ordinal)).ToList();
        var wrong = (names.Count - names.Distinct(StringComparer.Ordinal).Count()) + Math.Abs(names.Distinct(StringComparer.Ordinal).Count() - Submissions - 20);
        return new BenchRow("jobs that Slurm has twice or not at all", wrong, "jobs") { Goal = 0, Met = wrong == 0 };
    }

    private static async Task<IEnumerable<BenchRow>> StatusAsync(BenchedCluster cluster, SshClient client, Action<string> say, CancellationToken ct)
    {
        say($"{Tracked} SlurmJobs that wait");
        await cluster.SubmitAsync("kept", Tracked - Submissions - 20, "gpu", "true", ct);
        await cluster.UntilAsync("kept", Tracked - Submissions - 20, status => (string?)status["state"] == "PENDING", null, ct);
        say($"the bridge with {Tracked} jobs, for {Watched.TotalSeconds} s");
        var before = ProcessUsage.CpuSeconds([cluster.Bridge.Id]);
        await Task.Delay(Watched, TimeProvider.System, ct);
        var cpu = (ProcessUsage.CpuSeconds([cluster.Bridge.Id]) - before) / Watched.TotalSeconds;
        var text = await client.AskAsync(SqueueQuery.Command(Separator.New()));
        var json = await client.AskAsync("squeue --me -a -t all --json");
        var what = $"{Tracked:#,0} tracked jobs";
        return
        [
            new BenchRow($"{what}: one look at the queue, with a new connection", Math.Round(text.Seconds, 3), "s") { Against = "squeue --json", Theirs = Math.Round(json.Seconds, 3) },
            new BenchRow($"{what}: bytes of one look", Math.Round(text.Bytes / 1024.0), "KiB") { Against = "squeue --json", Theirs = Math.Round(json.Bytes / 1024.0) },
            new BenchRow($"{what}: CPU of the bridge, looking every {Interval} s", Math.Round(cpu * 100, 2), "% of a core"),
            new BenchRow($"{what}: memory of the bridge (RSS)", ProcessUsage.ResidentMiB([cluster.Bridge.Id]), "MiB"),
            new BenchRow("memory of the bridge at the most (RSS)", ProcessUsage.PeakMiB([cluster.Bridge.Id]), "MiB"),
        ];
    }

    // The last thing a job does is to write the time, by the clock that we read.
    private static async Task<BenchRow> EndsAsync(BenchedCluster cluster, Action<string> say, CancellationToken ct)
    {
        say($"{Ends} jobs that end");
        var delays = new List<double>();
        var all = cluster.UntilAsync("end", Ends, status => (string?)status["phase"] == "Succeeded", job =>
        {
            var key = $"{((string)job["spec"]!["jobUid"]!)[..8]}-a1";
            var ended = double.Parse(File.ReadAllText(Path.Combine(cluster.Slurm.A.Home, ".trestle", key, "ended")), CultureInfo.InvariantCulture);
            delays.Add((TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0) - ended);
        }, ct);
        await cluster.SubmitAsync("end", Ends, "cpu", "sleep 1; date +%s.%N >\"$TRESTLE_ATTEMPT_DIR/ended\"", ct);
        await all;
        var worst = Math.Round(delays.Max(), 2);
        return new BenchRow($"from a job's end to its status, the longest of {Ends}, looking every {Interval} s", worst, "s") { Goal = Interval + 1, Met = worst <= Interval + 1 };
    }

    private static BenchRow Faster(string metric, double ours, string against, double theirs, double times) =>
        new(metric, ours, "jobs/s") { Against = against, Theirs = Math.Round(theirs, 1), Goal = Math.Round(times * theirs, 1), Met = ours >= times * theirs };
}
