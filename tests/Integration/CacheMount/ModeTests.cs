using System.Security.Cryptography;
using Trestle.Integration.Tests.CacheMount.Fuse;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Integration.Tests.CacheMount;

/// <summary>The modes besides MountCached: a close that waits, and a copy that is made before the start.</summary>
public sealed class ModeTests
{
    private static readonly byte[] Large = RandomNumberGenerator.GetBytes((40 << 20) + 99);

    [Fact]
    public async Task In_mode_Mount_what_was_closed_is_in_the_store()
    {
        FuseDevice.Require();
        using var cache = new TemporaryDirectory();
        await using var server = await FaultyS3.StartAsync();
        await using var mount = MountProcess.Start(cache.FullName, server, null, "--front", "Fuse", "--mode", "Mount");
        await mount.ReadyAsync();
        for (var index = 0; index < 5; index++)
        {
            await File.WriteAllBytesAsync(Path.Combine(mount.Files, $"f{index}"), Large, TestContext.Current.CancellationToken);
            server.Objects[$"run/f{index}"]!.Size.ShouldBe(Large.Length);
        }

        // Whoever closes a file is told when it can't be stored.
        (await Command.RunAsync("python3", ["-c", "import os; os.close(os.open('line\\nbreak', os.O_WRONLY | os.O_CREAT))"], directory: mount.Files)).ShouldExit(1).Error.ShouldContain("Input/output error");
        mount.Signal("TERM");
        (await mount.EndAsync()).ShouldExit(0);
    }

    [Fact]
    public async Task A_signal_that_a_process_handles_does_not_cut_a_close_short_and_a_kill_ends_it()
    {
        FuseDevice.Require();
        using var cache = new TemporaryDirectory();
        await using var server = await FaultyS3.StartAsync();
        server.Delay = call => call.Kind == "put" ? Task.Delay(500) : Task.CompletedTask;
        await using var mount = MountProcess.Start(cache.FullName, server, null, "--front", "Fuse", "--mode", "Mount");
        await mount.ReadyAsync();
        const string script = "import os, signal\nsignal.signal(signal.SIGALRM, lambda *_: None)\nsignal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)\nf = os.open('a', os.O_WRONLY | os.O_CREAT)\nos.write(f, b'whole')\nos.close(f)\nsignal.setitimer(signal.ITIMER_REAL, 0)\n";
        (await Command.RunAsync("python3", ["-c", script], directory: mount.Files)).ShouldExit(0);
        server.Objects["run/a"].ShouldNotBeNull();

        server.Fault = call => call.Kind == "put" ? S3Fault.Hang : S3Fault.None;
        await using var stuck = Command.Start("sh", ["-c", "echo x > b"], directory: mount.Files);
        await Condition.UntilAsync("it is sent", () => server.Calls.Any(call => call is { Kind: "put", Key: "run/b" }));
        stuck.HasExited.ShouldBeFalse();
        stuck.Signal("KILL");
        (await stuck.EndAsync(TimeSpan.FromSeconds(20))).ExitCode.ShouldBe(137);
        server.Fault = _ => S3Fault.None;
        mount.Signal("TERM");
        (await mount.EndAsync()).ShouldExit(0);
    }

    [Fact]
    public async Task A_directory_front_does_not_promise_what_it_can_not_keep()
    {
        using var cache = new TemporaryDirectory();
        (await MountProcess.RunAsync("serve", "--cache", cache.FullName, "--store", cache["s"], "--mode", "Mount", "--front", "Directory")).ShouldExit(1).Error.ShouldContain("--mode Mount needs the FUSE front");
    }

    [Fact]
    public async Task A_copy_is_whole_and_one_that_was_cut_short_goes_on_where_it_was()
    {
        await using var server = await FaultyS3.StartAsync();
        var small = RandomNumberGenerator.GetBytes(1000);
        server.Replace("run/data/large", Large);
        server.Replace("run/data/deep/small", small);
        server.Replace("run/.trestle/checkpoints/x.json", small);
        using var place = new TemporaryDirectory();
        string[] copy = ["copy", "--into", place["to"], "--parallel", "1", "--store", $"s3://{FaultyS3.Bucket}/run", "--endpoint", server.Endpoint.AbsoluteUri, "--path-style", "true"];
        var gets = 0;
        server.Fault = call => call.Kind == "get" && Interlocked.Increment(ref gets) > 2 ? S3Fault.Expired : S3Fault.None;
        await using (var cut = Command.Start("dotnet", [MountProcess.Library, "cachemount", .. copy], FaultyS3.Credentials))
        {
            await Condition.UntilAsync("it is in the middle", () => Volatile.Read(ref gets) > 3);
            cut.Signal("KILL");
            await cut.EndAsync();
        }

        File.Exists(place["to/data/large"]).ShouldBeFalse();
        server.Fault = _ => S3Fault.None;
        server.Calls.Clear();
        (await MountProcess.RunAsync(copy)).ShouldExit(0).Error.ShouldContain("2 of 2 files");
        (await File.ReadAllBytesAsync(place["to/data/large"], TestContext.Current.CancellationToken)).AsSpan().SequenceEqual(Large).ShouldBeTrue();
        (await File.ReadAllBytesAsync(place["to/data/deep/small"], TestContext.Current.CancellationToken)).ShouldBe(small);
        Directory.GetFileSystemEntries(place["to"]).Length.ShouldBe(1);
        server.Count("get").ShouldBeLessThan(4); // one small file, three ranges, of which two had come
        server.Calls.Clear();
        (await MountProcess.RunAsync(copy)).ShouldExit(0);
        server.Count("get").ShouldBe(0);
        server.Replace("run/data/deep/small", Large[..1000]);
        (await MountProcess.RunAsync(copy)).ShouldExit(0);
        (await File.ReadAllBytesAsync(place["to/data/deep/small"], TestContext.Current.CancellationToken)).ShouldBe(Large[..1000]);
    }
}
