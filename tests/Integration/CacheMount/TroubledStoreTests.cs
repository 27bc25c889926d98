using System.Security.Cryptography;
using Amazon.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using Trestle.CacheMount;
using Trestle.CacheMount.Checkpoints;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Stores;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Integration.Tests.CacheMount;

/// <summary>A mount whose store misbehaves in every way, and is well again at some time.</summary>
[Collection(WritesInThisProcess.Name)]
public sealed class TroubledStoreTests
{
    private static readonly FlushSettings Hasty = new() { SmallestPart = 5 << 20, FirstPause = TimeSpan.FromMilliseconds(1), LongestPause = TimeSpan.FromMilliseconds(20) };

    [Theory]
    [InlineData(S3Fault.Error500, true)]
    [InlineData(S3Fault.SlowDown, true)]
    [InlineData(S3Fault.Expired, true)]
    [InlineData(S3Fault.Reset, true)]
    [InlineData(S3Fault.LostAnswer, true)]
    [InlineData(S3Fault.Hang, true)]
    [InlineData(S3Fault.LyingETag, true)]
    [InlineData(S3Fault.Truncated, true)]
    [InlineData(S3Fault.Truncated, false)]
    public async Task Whatever_the_store_does_what_is_listed_in_the_end_is_what_was_written(S3Fault fault, bool knowsChecksums)
    {
        using var cache = new TemporaryDirectory();
        await using var server = await FaultyS3.StartAsync();
        server.KnowsChecksums = knowsChecksums;
        using var store = new S3Store(
            new S3Options(FaultyS3.Bucket, "run/") { Endpoint = server.Endpoint, PathStyle = true, Silence = TimeSpan.FromMilliseconds(500) }, TimeProvider.System, new BasicAWSCredentials(FaultyS3.AccessKey, FaultyS3.SecretKey));
        // The first two requests of every kind for every key go wrong. Of a part a wrong tag is found out when the parts are put together; of an object nobody says it.
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<(string, string), int>();
        server.Fault = call => seen.AddOrUpdate((call.Kind, call.Key), 1, (_, count) => count + 1) <= 2 && call.Kind is not ("list" or "head" or "get") && (fault != S3Fault.LyingETag || call.Kind == "part") ? fault : S3Fault.None;
        var promises = new Promises();
        await using (var mount = CachedMount.Start(new MountSettings(cache.FullName) { Writer = "node-0", Flush = Hasty }, store, TimeProvider.System, NullLogger.Instance))
        {
            promises.Write(cache["files"], "step-1/a", RandomNumberGenerator.GetBytes(11 << 20));
            promises.Write(cache["files"], "step-1/b", RandomNumberGenerator.GetBytes(100));
            promises.Write(cache["files"], "step-1/.metadata", RandomNumberGenerator.GetBytes(100));
            await mount.FlushAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            promises.HoldAll(server);
            Promises.Manifests(server).Select(manifest => manifest.Name).ShouldBe(["step-1"]);
            if (fault is not (S3Fault.LyingETag or S3Fault.Truncated)) Promises.Order(server).ShouldBe(["step-1/a", "step-1/b", "step-1/.metadata"]);
            await Condition.UntilAsync("no upload is left over", () => server.Objects.OpenUploads == 0 || fault == S3Fault.LostAnswer);
        }

        server.Fault = call => call.Kind == "get" && seen.AddOrUpdate((call.Kind, call.Key), 1, (_, count) => count + 1) <= 2 ? fault : S3Fault.None;
        using var into = new TemporaryDirectory();
        Directory.CreateDirectory(into[".incoming"]);
        var follower = new Follower(store, into.FullName, into[".incoming"], 4, TimeProvider.System, NullLogger.Instance);
        await Condition.UntilAsync("the checkpoint is in place", async () => (await follower.LookAsync(CancellationToken.None)).Count == 1, TimeSpan.FromSeconds(30));
        AreSame(Path.Combine(cache["files"], "step-1"), into["step-1"]);
    }

    private static void AreSame(string one, string other)
    {
        Directory.GetFiles(other).Length.ShouldBe(Directory.GetFiles(one).Length);
        foreach (var file in Directory.GetFiles(one)) File.ReadAllBytes(file).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(other, Path.GetFileName(file)))).ShouldBeTrue(file);
    }
}
