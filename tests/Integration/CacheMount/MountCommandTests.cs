using System.Globalization;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Integration.Tests.CacheMount;

/// <summary>The commands as they are typed.</summary>
public sealed class MountCommandTests
{
    [Fact]
    public async Task A_command_that_is_run_under_a_mount_ends_when_what_it_wrote_is_stored()
    {
        using var cache = new TemporaryDirectory();
        await using var server = await FaultyS3.StartAsync();
        await using var mount = MountProcess.Start(cache.FullName, server);
        await mount.ReadyAsync();
        var run = await MountProcess.RunAsync("run", "--socket", mount.Socket, "--timeout", "30", "--", "sh", "-c", "mkdir -p $0/step-1.tmp && echo 1 > $0/step-1.tmp/a && mv $0/step-1.tmp $0/step-1; exit 3", cache["files"]);
        run.ShouldExit(3);
        server.Objects.Keys.ShouldBe(["run/.trestle/checkpoints/step-1.json", "run/step-1/a"]);
        (await MountProcess.RunAsync("checkpoints", "--socket", mount.Socket)).ShouldExit(0).Out.ShouldBe("durable step-1\n");
        (await MountProcess.RunAsync("commit", "step-9", "--socket", mount.Socket)).ShouldExit(1).Error.ShouldContain("there is no step-9 in the mount");
        (await mount.CallAsync(HttpMethod.Get, "metrics")).Text.ShouldContain("trestle_cachemount_stored_files_total 1\n");
        ((double)(await mount.StatusAsync())["pendingFiles"]!).ShouldBe(0);
    }

    [Fact]
    public async Task A_flush_that_does_not_succeed_says_what_is_missing_and_why_and_so_does_a_run()
    {
        using var cache = new TemporaryDirectory();
        await using var server = await FaultyS3.StartAsync();
        server.Fault = call => call.Kind == "put" ? S3Fault.Expired : S3Fault.None;
        await using var mount = MountProcess.Start(cache.FullName, server);
        await mount.ReadyAsync();
        await File.WriteAllTextAsync(cache["files/a"], "1", TestContext.Current.CancellationToken);
        var flush = await MountProcess.RunAsync("flush", "--wait", "--socket", mount.Socket, "--timeout", "2");
        flush.ShouldExit(1).Error.ShouldContain("1 files (1 bytes) and 0 checkpoints are not in s3://checkpoints/run/ yet; storing a in s3://checkpoints/run/: ExpiredToken");
        (await MountProcess.RunAsync("run", "--socket", mount.Socket, "--timeout", "1", "--", "true")).ShouldExit(74).Error.ShouldContain("what the command wrote is not durable");
    }

    [Fact]
    public async Task Memory_does_not_grow_with_the_size_of_a_file()
    {
        using var cache = new TemporaryDirectory();
        await using var server = await FaultyS3.StartAsync(discard: true);
        await using var mount = MountProcess.Start(cache.FullName, server);
        await mount.ReadyAsync();
        await using (var file = File.Create(cache["files/large"])) file.SetLength(768L << 20);
        await mount.FlushAsync();
        server.Objects["run/large"]!.Size.ShouldBe(768L << 20);
        PeakKiB(mount.Id).ShouldBeLessThan(150 * 1024);
    }

    private static long PeakKiB(int process) => long.Parse(string.Concat(File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Where(char.IsAsciiDigit)), CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("--cache must be an absolute path", "--cache", "relative", "--store", "s3://bucket/x")]
    [InlineData("--store is missing", "--cache", "/nowhere/cache")]
    [InlineData("--store must be s3://BUCKET/PREFIX", "--cache", "/nowhere/cache", "--store", "s3://x")]
    [InlineData("--endpoint must be an http address, not 'ftp://x'", "--cache", "/nowhere/cache", "--store", "s3://bucket/x", "--endpoint", "ftp://x")]
    [InlineData("--size must be a number, not 'much'", "--cache", "/nowhere/cache", "--store", "s3://bucket/x", "--size", "much")]
    [InlineData("unknown option --buckets", "--buckets", "x")]
    public async Task Wrong_arguments_are_named(string message, params string[] arguments) =>
        (await MountProcess.RunAsync(["serve", .. arguments])).ShouldExit(2).Error.ShouldContain(message);
}
