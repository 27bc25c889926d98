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
                if (call.Kind != kind || Interlocked.Increment(ref count) != nth) return Task.CompletedTask;
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
            promises.Hold(server, files);
        }

        server.Delay = _ => Task.CompletedTask;
        await using var last = MountProcess.Start(cache.FullName, server);
        await last.ReadyAsync();
        await last.FlushAsync();
        promises.HoldAll(server, files);
        Promises.Manifests(server).Count().ShouldBe(4);
        var order = Promises.Order(server);
        order.ShouldBe(Enumerable.Range(0, 4).SelectMany(round => new[] { $"step-{round}/a", $"step-{round}/b", $"step-{round}/.metadata", $"after-{round}" }));
        last.Signal("TERM");
        (await last.EndAsync()).ShouldExit(0);
    }
}
