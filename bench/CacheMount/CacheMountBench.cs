using System.Diagnostics;
using System.Globalization;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Bench.CacheMount;

/// <summary>
/// A checkpoint in eight shards, and many small files, through each kind of mount to one S3 server in a process of its own. The
/// checkpoint has TRESTLE_BENCH_MIB MiB, 1024 when not given.
/// </summary>
public static class CacheMountBench
{
    private const int Shards = 8;
    private const int SmallFiles = 2000;
    private const int Piece = 1 << 20;
    private static readonly long ShardSize = ((long.TryParse(Environment.GetEnvironmentVariable("TRESTLE_BENCH_MIB"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given >= Shards ? given : 1024) << 20) / Shards;

    /// <summary>All rows. <paramref name="say"/> is told what is being measured.</summary>
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(say);
        var hasRclone = Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "rclone")));
        if (!hasRclone) say("rclone is not installed (apt-get install rclone fuse3): measured without it");
        await using var server = Command.Start(Environment.ProcessPath!, ["s3-server", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        await Condition.UntilAsync("the S3 server has started", () => server.Out.Contains('\n', StringComparison.Ordinal));
        var endpoint = new Uri(server.Out.Trim());
        var figures = new Dictionary<MountKind, MountFigures>();
        foreach (var kind in Enum.GetValues<MountKind>().Where(kind => hasRclone || kind is not (MountKind.Rclone or MountKind.RcloneEightTransfers)))
        {
            say($"{kind}: {Shards} files of {ShardSize >> 20} MiB, {SmallFiles} small ones");
            figures[kind] = await MeasureAsync(kind, endpoint);
            say(figures[kind].ToString());
        }

        return MountRows.Of(figures);
    }

    /// <summary>Writes its address and serves as long as the process with this number lives.</summary>
    public static async Task ServeAsync(string parent)
    {
        await using var server = await FaultyS3.StartAsync();
        Console.WriteLine(server.Endpoint.AbsoluteUri);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (Directory.Exists($"/proc/{parent}")) await timer.WaitForNextTickAsync(CancellationToken.None);
    }

    private static async Task<MountFigures> MeasureAsync(MountKind kind, Uri endpoint)
    {
        var isServed = kind != MountKind.LocalDisk;
        double write, warm, creates;
        double? stored = null, cpu = null, memory;
        await using (var mount = await BenchedMount.StartAsync(kind, endpoint, kind.ToString()))
        {
            var before = mount.Cpu();
            var began = Stopwatch.GetTimestamp();
            for (var shard = 0; shard < Shards; shard++) Write(Path.Combine(mount.Files, $"shard-{shard}"), shard);
            write = Speed(began);
            if (isServed)
            {
                await mount.FlushAsync(Shards);
                (stored, cpu) = (Stopwatch.GetElapsedTime(began).TotalSeconds, (mount.Cpu() - before)?.TotalSeconds);
            }

            ReadAll(mount.Files);
            began = Stopwatch.GetTimestamp();
            ReadAll(mount.Files);
            warm = Speed(began);
            began = Stopwatch.GetTimestamp();
            WriteSmall(mount.Files);
            creates = SmallFiles / Stopwatch.GetElapsedTime(began).TotalSeconds;
            memory = mount.MemoryMiB();
        }

        if (kind is MountKind.LocalDisk or MountKind.Directory) return new MountFigures(write, stored, cpu, warm, null, creates, memory);
        await using var cold = await BenchedMount.StartAsync(kind, endpoint, kind.ToString());
        var start = Stopwatch.GetTimestamp();
        ReadAll(cold.Files);
        return new MountFigures(write, stored, cpu, warm, Speed(start), creates, memory);
    }

    private static void Write(string path, int seed)
    {
        var piece = new byte[Piece];
        new Random(seed).NextBytes(piece);
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        for (var at = 0L; at < ShardSize; at += Piece)
        {
            BitConverter.TryWriteBytes(piece, at);
            RandomAccess.Write(file, piece.AsSpan(0, (int)Math.Min(Piece, ShardSize - at)), at);
        }
    }

    private static void WriteSmall(string folder)
    {
        for (var index = 0; index < SmallFiles; index++) File.WriteAllBytes(Path.Combine(folder, $"small-{index}"), [1]);
    }

    private static void ReadAll(string folder)
    {
        var piece = new byte[Piece];
        for (var shard = 0; shard < Shards; shard++)
        {
            using var file = File.OpenHandle(Path.Combine(folder, $"shard-{shard}"));
            var at = 0L;
            while (RandomAccess.Read(file, piece, at) is > 0 and var read) at += read;
            if (at != ShardSize) throw new InvalidOperationException($"shard-{shard} has {at} bytes");
        }
    }

    private static double Speed(long began) => Shards * ShardSize / Stopwatch.GetElapsedTime(began).TotalSeconds;
}
