using System.Security.Cryptography;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Integration.Tests.CacheMount.Fuse;

/// <summary>The FUSE front beside a store: what it shows, brings, holds back and survives.</summary>
public sealed class FuseFrontTests : IAsyncLifetime
{
    private static readonly byte[] Large = RandomNumberGenerator.GetBytes((40 << 20) + 12345);
    private readonly TemporaryDirectory _cache = new();
    private FaultyS3 _server = null!;
    private MountProcess? _mount;

    public async ValueTask InitializeAsync()
    {
        FuseDevice.Require();
        _server = await FaultyS3.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_mount is { HasExited: false })
        {
            _mount.Signal("TERM");
            await _mount.EndAsync();
        }

        if (_mount is not null) await _mount.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
        _cache.Dispose();
    }

    [Fact]
    public async Task What_is_given_up_is_still_there_and_comes_back_when_it_is_read()
    {
        var mount = await StartAsync();
        await File.WriteAllBytesAsync(At("step-1/shard"), Large, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(At("step-1/small"), "small", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(At("step-1/small"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var written = File.GetLastWriteTimeUtc(At("step-1/shard"));
        await mount.FlushAsync();
        await mount.CallAsync(HttpMethod.Post, "v1/evict?path=step-1");
        new FileInfo(At("step-1/shard")).Length.ShouldBe(Large.Length);
        File.GetLastWriteTimeUtc(At("step-1/shard")).ShouldBe(written);
        Directory.GetFiles(At("step-1")).Length.ShouldBe(2);
        File.GetUnixFileMode(At("step-1/small")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserExecute);

        // One byte in the middle brings one block, and what comes next.
        _server.Calls.Clear();
        await using (var file = File.OpenRead(At("step-1/shard")))
        {
            file.Seek(20 << 20, SeekOrigin.Begin);
            file.ReadByte().ShouldBe(Large[20 << 20]);
        }

        _server.Calls.Count(call => call is { Kind: "get", Key: "run/step-1/shard" }).ShouldBeInRange(1, 2);
        (await File.ReadAllBytesAsync(At("step-1/shard"), TestContext.Current.CancellationToken)).AsSpan().SequenceEqual(Large).ShouldBeTrue();
        await Condition.UntilAsync("it is a file of the cache again", async () => (double)(await mount.StatusAsync())["space"]!["used"]! >= Large.Length || await LookAsync(mount));
        await File.AppendAllTextAsync(At("step-1/small.txt"), "x", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(At("step-1/small"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.AppendAllTextAsync(At("step-1/small"), " and more", TestContext.Current.CancellationToken);
        await mount.FlushAsync();
        System.Text.Encoding.UTF8.GetString(_server.Objects["run/step-1/small"]!.Bytes).ShouldBe("small and more");
    }

    [Fact]
    public async Task What_others_have_stored_is_shown_read_changed_and_removed()
    {
        await using (var other = MountProcess.Start(_cache["other"], _server, null, "--rescan", "60"))
        {
            await other.ReadyAsync();
            Directory.CreateDirectory(Path.Combine(other.Files, "data/deep"));
            await File.WriteAllTextAsync(Path.Combine(other.Files, "data/deep/a"), "from the other", TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(other.Files, "data/b"), "b", TestContext.Current.CancellationToken);
            await other.FlushAsync();
        }

        var mount = await StartAsync("--list-every", "0.2");
        (await File.ReadAllTextAsync(At("data/deep/a"), TestContext.Current.CancellationToken)).ShouldBe("from the other");
        Directory.Move(At("data/deep"), At("moved"));
        File.Delete(At("data/b"));
        await mount.FlushAsync();
        _server.Objects.Keys.Where(key => !key.Contains(".trestle", StringComparison.Ordinal)).ShouldContain("run/moved/a");
        _server.Objects["run/data/b"].ShouldBeNull();
        File.Exists(At("data/b")).ShouldBeFalse();
        (await Command.RunAsync("rmdir", [At("data")])).ShouldExit(0);
    }

    [Fact]
    public async Task An_object_that_changes_while_it_is_read_is_an_error_and_never_a_mix()
    {
        var mount = await StartAsync();
        await File.WriteAllBytesAsync(At("a"), Large, TestContext.Current.CancellationToken);
        await mount.FlushAsync();
        await mount.CallAsync(HttpMethod.Post, "v1/evict?path=a");
        await using var file = new FileStream(At("a"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
        var bytes = new byte[10];
        await file.ReadExactlyAsync(bytes, TestContext.Current.CancellationToken);
        await Condition.UntilAsync("what comes ahead is there", () => _server.Calls.Count(call => call.Kind == "get") >= 3);
        await File.WriteAllBytesAsync(At("b"), Large, TestContext.Current.CancellationToken);
        await mount.FlushAsync();
        await mount.CallAsync(HttpMethod.Post, "v1/evict?path=b");
        _server.Replace("run/b", RandomNumberGenerator.GetBytes(Large.Length));
        (await Command.RunAsync("cat", [At("b")])).ShouldExit(1).Error.ShouldContain("Input/output error");
    }

    [Fact]
    public async Task After_a_kill_the_next_process_mounts_anew_and_everything_is_stored()
    {
        var mount = await StartAsync();
        await File.WriteAllTextAsync(At("before"), "1", TestContext.Current.CancellationToken);
        await using var open = new FileStream(At("open"), FileMode.Create);
        await open.WriteAsync("half"u8.ToArray(), TestContext.Current.CancellationToken);
        await open.FlushAsync(TestContext.Current.CancellationToken);
        await mount.KillAsync();
        await open.DisposeAsync();
        (await Command.RunAsync("ls", [_cache["files"]])).ExitCode.ShouldNotBe(0);
        mount = await StartAsync();
        mount.Log.ShouldContain("was still mounted by a process that is gone");
        await mount.FlushAsync();
        _server.Objects.Keys.ShouldBe(["run/before", "run/open"]);
        (await File.ReadAllTextAsync(At("open"), TestContext.Current.CancellationToken)).ShouldBe("half");
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task Files_become_visible_in_the_order_in_which_they_were_closed(string passthrough)
    {
        var mount = await StartAsync("--passthrough", passthrough);
        var script = "import os\nfor i in range(400):\n f=os.open('f-%03d'%i, os.O_WRONLY|os.O_CREAT); os.write(f,b'x'); os.close(f)\n if i%3==0: os.rename('f-%03d'%i,'g-%03d'%i)\n";
        (await Command.RunAsync("python3", ["-c", script], directory: mount.Files)).ShouldExit(0);
        await mount.FlushAsync();
        // One that was renamed may have been visible under its first name before.
        _server.Objects.Visible.Where(key => key.StartsWith("run/", StringComparison.Ordinal) && !key.Contains(".trestle", StringComparison.Ordinal)).Select(key => key["run/f-".Length..]).Distinct().ShouldBe(Enumerable.Range(0, 400).Select(index => $"{index:000}"));
    }

    [Fact]
    public async Task A_map_that_may_still_write_keeps_its_file_from_the_store()
    {
        var mount = await StartAsync();
        var script = "import mmap,os,time\nf=os.open('m',os.O_RDWR|os.O_CREAT)\nos.ftruncate(f,4096)\nm=mmap.mmap(f,0)\nos.close(f)\nprint('mapped',flush=True)\nwhile not os.path.exists('go'): time.sleep(0.01)\nm[0:4]=b'done'\nm.close()\n";
        await using var writer = Command.Start("python3", ["-c", script], directory: mount.Files);
        await Condition.UntilAsync("it is mapped", () => writer.Out.Contains("mapped", StringComparison.Ordinal));
        await mount.FlushAsync();
        _server.Objects["run/m"].ShouldBeNull();
        await File.WriteAllTextAsync(At("go"), "", TestContext.Current.CancellationToken);
        (await writer.EndAsync()).ShouldExit(0);
        await mount.FlushAsync();
        _server.Objects["run/m"]!.Bytes[..4].ShouldBe("done"u8.ToArray());
    }

    [Fact]
    public async Task A_full_cache_holds_writers_back_until_the_store_has_what_is_in_it()
    {
        var gate = new TaskCompletionSource();
        _server.Delay = call => call.Kind is "put" or "part" or "begin" ? gate.Task : Task.CompletedTask;
        var mount = await StartAsync("--size", "20000000");
        var script = "for i in range(8):\n with open('f%d'%i,'wb') as f: f.write(b'x'*5000000)\n";
        await using var writer = Command.Start("python3", ["-c", script], directory: mount.Files);
        await Condition.UntilAsync("the writer waits", async () => (double)(await mount.StatusAsync())["waitingWriters"]! > 0);
        writer.HasExited.ShouldBeFalse();
        gate.SetResult();
        (await writer.EndAsync()).ShouldExit(0);
        await mount.FlushAsync();
        Enumerable.Range(0, 8).ShouldAllBe(index => _server.Objects[$"run/f{index}"]!.Size == 5_000_000);
        Enumerable.Range(0, 8).ShouldAllBe(index => new FileInfo(At($"f{index}")).Length == 5_000_000);
    }

    [Fact]
    public async Task Where_it_can_not_be_mounted_auto_takes_the_directory_and_says_why()
    {
        await File.WriteAllTextAsync(_cache["no-directory"], "", TestContext.Current.CancellationToken);
        var mount = await StartAsync("--front", "Auto", "--at", _cache["no-directory"]);
        var status = await mount.StatusAsync();
        ((string)status["front"]!).ShouldBe("Directory");
        ((string)status["frontReason"]!).ShouldContain("FUSE can't be had");
        (await MountProcess.RunAsync("serve", "--cache", _cache["second"], "--store", _cache["s"], "--front", "Fuse", "--at", _cache["no-directory"])).ShouldExit(1).Error.ShouldContain("the FUSE front can't be had");
    }

    private string At(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_cache["files"], path))!);
        return Path.Combine(_cache["files"], path);
    }

    private async Task<MountProcess> StartAsync(params string[] more)
    {
        _mount = MountProcess.Start(_cache.FullName, _server, null, more.Contains("--front") ? more : ["--front", "Fuse", .. more]);
        await _mount.ReadyAsync();
        return _mount;
    }

    private static async Task<bool> LookAsync(MountProcess mount)
    {
        await mount.CallAsync(HttpMethod.Get, "v1/space");
        return (double)(await mount.StatusAsync())["space"]!["used"]! >= Large.Length;
    }
}
