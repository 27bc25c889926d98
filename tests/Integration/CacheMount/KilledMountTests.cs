using System.Security.Cryptography;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Integration.Tests.CacheMount;

/// <summary>The real process is killed, and what disk and store then hold is compared with what was promised.</summary>
[Collection(WritesInThisProcess.Name)]
public sealed class KilledMountTests
{
    private static readonly byte[] Small = RandomNumberGenerator.GetBytes(1000);
    private static readonly byte[] Large = RandomNumberGenerator.GetBytes(11 << 20);

    [Fact]
    public async Task However_often_it_is_killed_nothing_is_lost_and_what_is_listed_can_be_read()
    {
        using var cache = new TemporaryDirectory();
        await using var server = await FaultyS3.StartAsync();
        var promises = new Promises();
        var files = cache["files"];
        Directory.CreateDirectory(files);
        for (var round = 0; round < 4; round++)
        {
            // Killed at the request that the round names: in the middle of parts, at a complete, before a manifest.
            var (kind, nth) = new[] { ("part", 2), ("complete", 1), ("put", 2), ("put", 3) }[round];
            var count = 0;
            var killed = new TaskCompletionSource();
            await using var mount = MountProcess.Start(cache.FullName, server);
            await mount.ReadyAsync();
            server.Delay = call =>
            {
                if (call.Kind != kind || call.Key.Contains("/.trestle/probe", StringComparison.Ordinal) || Interlocked.Increment(ref count) != nth) return Task.CompletedTask;
                mount.Signal("KILL");
                killed.TrySetResult();
                return Task.CompletedTask;
            };
            promises.Write(files, $"step-{round}/a", Small);
            promises.Write(files, $"step-{round}/b", Large);
            promises.Write(files, $"step-{round}/.metadata", Small);
            promises.Write(files, $"after-{round}", Small);
            await killed.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            await mount.EndAsync();
            promises.Hold(server);
        }

        server.Delay = _ => Task.CompletedTask;
        await using var last = MountProcess.Start(cache.FullName, server);
        await last.ReadyAsync();
        await last.FlushAsync();
        promises.HoldAll(server);
        Promises.Manifests(server).Count().ShouldBe(4);
        var order = Promises.Order(server);
        order.ShouldBe(Enumerable.Range(0, 4).SelectMany(round => new[] { $"step-{round}/a", $"step-{round}/b", $"step-{round}/.metadata", $"after-{round}" }));
        last.Signal("TERM");
        (await last.EndAsync()).ShouldExit(0);
    }

    [Fact]
    public async Task Whichever_of_two_nodes_is_killed_a_checkpoint_that_is_listed_has_the_files_of_both()
    {
        using var caches = new TemporaryDirectory();
        await using var server = await FaultyS3.StartAsync();
        var promises = new Promises();
        string[] files = [caches["0/files"], caches["1/files"]];
        // Killed when it sends a file, its share, the manifest, or an answer.
        foreach (var (round, (killed, key)) in new[] { (1, "step-0/b"), (0, "/shares/"), (0, "/checkpoints/step-2.json"), (1, "/shares/") }.Index())
        {
            await using var first = Start(caches["0"], server, 0);
            await using var second = Start(caches["1"], server, 1);
            await Task.WhenAll(first.ReadyAsync(), second.ReadyAsync());
            var isOver = new TaskCompletionSource();
            server.Delay = call =>
            {
                if (call.Kind is not ("put" or "complete") || !call.Key.Contains(key, StringComparison.Ordinal) || (key == "/shares/" && !call.Key.EndsWith($"/step-{round}/{killed}.json", StringComparison.Ordinal))) return Task.CompletedTask;
                (killed == 0 ? first : second).Signal("KILL");
                isOver.TrySetResult();
                return Task.CompletedTask;
            };
            promises.Write(files[1], $"step-{round}/b", Small);
            promises.Write(files[0], $"step-{round}/a", Small);
            promises.Write(files[0], $"step-{round}/.metadata", Small);
            await isOver.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            await (killed == 0 ? first : second).EndAsync();
            promises.Hold(server);
            server.Delay = _ => Task.CompletedTask;
            await (killed == 0 ? second : first).KillAsync();
            promises.Hold(server);
        }

        await using var one = Start(caches["0"], server, 0);
        await using var other = Start(caches["1"], server, 1);
        await Task.WhenAll(one.ReadyAsync(), other.ReadyAsync());
        await Task.WhenAll(one.FlushAsync(), other.FlushAsync());
        promises.HoldAll(server);
        Promises.Manifests(server).Select(manifest => (manifest.Name, manifest.Files.Count)).ShouldBe(Enumerable.Range(0, 4).Select(round => ($"step-{round}", 3)));
    }

    private static MountProcess Start(string cache, FaultyS3 server, int rank) =>
        MountProcess.Start(cache, server, null, "--run", "job", "--attempt", "1", "--nodes", "2", "--rank", rank.ToString(System.Globalization.CultureInfo.InvariantCulture));
}
