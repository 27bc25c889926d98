using Microsoft.Extensions.Logging.Abstractions;
using Trestle.CacheMount.Checkpoints;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;
using Trestle.CacheMount.Tests.Flush;
using Trestle.Testing;

namespace Trestle.CacheMount.Tests.Checkpoints;

public sealed class ArrivalsTests
{
    private static readonly FrontSettings Slow = new() { LookAgain = TimeSpan.FromHours(1), RescanEvery = TimeSpan.FromHours(1), HoldTemporary = TimeSpan.FromHours(1) };

    [Fact]
    public async Task What_the_store_has_is_there_at_the_start_and_is_not_sent_again()
    {
        var store = await StoredAsync(mount =>
        {
            mount.Write("log.txt", "first");
            mount.Write("deep/er/config", "1");
            mount.Write("step-1/a", "weights");
            mount.Write("step-1/.metadata", "1");
            mount.Write("step-2/a", "unfinished");
        });
        var visible = store.Visible.Count;
        await using var mount = new AMount(Slow, store);
        await FetchAsync(mount);
        await mount.FlushAsync();
        (Text(mount, "log.txt"), Text(mount, "deep/er/config"), Text(mount, "step-1/a")).ShouldBe(("first", "1", "weights"));
        Directory.Exists(mount["step-2"]).ShouldBeFalse();
        store.Visible.Count.ShouldBe(visible);
    }

    [Fact]
    public async Task What_is_changed_or_removed_after_it_came_goes_to_the_store_as_if_it_had_been_written_here()
    {
        var store = await StoredAsync(mount =>
        {
            mount.Write("log.txt", "first");
            mount.Write("step-1/a", "weights");
            mount.Write("step-1/.metadata", "1");
        });
        await using var mount = new AMount(Slow, store);
        await FetchAsync(mount);
        await File.AppendAllTextAsync(mount["log.txt"], " second", TestContext.Current.CancellationToken);
        Directory.Delete(mount["step-1"], recursive: true);
        await Condition.UntilAsync("the checkpoint is gone", () => mount.Objects.SequenceEqual(["log.txt"]) && mount.Manifests.Count == 0);
        await mount.FlushAsync();
        System.Text.Encoding.UTF8.GetString(store.Content("log.txt")!).ShouldBe("first second");
    }

    [Fact]
    public async Task A_checkpoint_that_another_writer_makes_durable_comes_and_one_of_our_own_does_not_come_back()
    {
        var store = new MemoryStore();
        await using var writer = new AMount(Slow, store);
        await using var reader = new AMount(Slow, store);
        using var stop = new CancellationTokenSource();
        using var arrivals = Arrivals(reader);
        await arrivals.FetchFirstAsync(stop.Token);
        var following = arrivals.FollowAsync(TimeSpan.FromMilliseconds(50), stop.Token);
        writer.Write("step-1/a", "weights");
        writer.Write("step-1/.metadata", "1");
        await writer.FlushAsync();
        await Condition.UntilAsync("it has come", () => File.Exists(reader["step-1/.metadata"]));
        Text(reader, "step-1/a").ShouldBe("weights");
        reader.Write("step-2/a", "mine");
        reader.Write("step-2/.metadata", "1");
        await reader.FlushAsync();
        var inode = Libc.Stat(reader["step-2"])!.Value.File.Inode;
        writer.Write("step-3", "last");
        await writer.FlushAsync();
        await Condition.UntilAsync("the last one has come", () => File.Exists(reader["step-3"]));
        Libc.Stat(reader["step-2"])!.Value.File.Inode.ShouldBe(inode);
        store.Visible.Count(key => key == "step-1/a").ShouldBe(1);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(following);
    }

    [Fact]
    public async Task Links_modes_and_times_come_as_they_were()
    {
        var then = new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        var store = await StoredAsync(mount =>
        {
            mount.Write("run.sh", "true");
            mount.Write("step-1/a", "weights");
            File.SetUnixFileMode(mount["run.sh"], (UnixFileMode)0b111_101_000);
            File.SetUnixFileMode(mount["step-1/a"], (UnixFileMode)0b110_000_000);
            File.SetLastWriteTimeUtc(mount["run.sh"], then);
            File.SetLastWriteTimeUtc(mount["step-1/a"], then);
            File.CreateSymbolicLink(mount["last"], "step-1");
            File.CreateSymbolicLink(mount["step-1/same"], "a");
            mount.Write("step-1/.metadata", "1");
        });
        await using var mount = new AMount(Slow, store);
        await FetchAsync(mount);
        await mount.FlushAsync();
        (File.GetUnixFileMode(mount["run.sh"]), File.GetUnixFileMode(mount["step-1/a"])).ShouldBe(((UnixFileMode)0b111_101_000, (UnixFileMode)0b110_000_000));
        (File.GetLastWriteTimeUtc(mount["run.sh"]), File.GetLastWriteTimeUtc(mount["step-1/a"])).ShouldBe((then, then));
        (new FileInfo(mount["last"]).LinkTarget, new FileInfo(mount["step-1/same"]).LinkTarget, Text(mount, "last/same")).ShouldBe(("step-1", "a", "weights"));
        store.Visible.Count(key => key is "last" or "run.sh").ShouldBe(2);
    }

    [Theory]
    [InlineData("/etc")]
    [InlineData("../..")]
    [InlineData("x/../../..")]
    public async Task A_link_in_a_bucket_leads_nothing_out_of_the_mount(string target)
    {
        var store = new MemoryStore();
        store.Place("sub/link", System.Text.Encoding.UTF8.GetBytes(target), new Dictionary<string, string> { ["trestle-link"] = "1" });
        store.Place("sub/link/file", "1"u8.ToArray(), new Dictionary<string, string>());
        store.Place("other", System.Text.Encoding.UTF8.GetBytes(target), new Dictionary<string, string> { ["trestle-link"] = "1" });
        await using var mount = new AMount(Slow, store);
        await FetchAsync(mount);
        (Directory.Exists(mount["sub/link"]), Text(mount, "sub/link/file"), new FileInfo(mount["other"]).Exists).ShouldBe((true, "1", false));
    }

    [Fact]
    public async Task A_cache_that_was_kept_is_compared_with_the_store_and_what_is_dirty_wins()
    {
        await using var kept = new AMount(Slow);
        kept.Write("stale", "1");
        kept.Write("removed", "1");
        kept.Write("dirty", "1");
        kept.Write("same", "1");
        kept.Write("step-1/a", "1");
        kept.Write("step-1/.metadata", "1");
        await kept.FlushAsync();
        await kept.StopAsync();
        await using (var elsewhere = new AMount(Slow, kept.Store))
        {
            await FetchAsync(elsewhere);
            elsewhere.Write("stale", "newer");
            elsewhere.Write("step-1/a", "newer");
            elsewhere.Write("step-1/.metadata", "newer");
            File.Delete(elsewhere["removed"]);
            await elsewhere.FlushAsync();
        }

        kept.Write("dirty", "mine");
        var inode = Libc.Stat(kept["same"])!.Value.File.Inode;
        kept.Start();
        await FetchAsync(kept);
        await kept.FlushAsync();
        (Text(kept, "stale"), Text(kept, "dirty"), Text(kept, "step-1/a"), File.Exists(kept["removed"]), Libc.Stat(kept["same"])!.Value.File.Inode).ShouldBe(("newer", "mine", "newer", false, inode));
        System.Text.Encoding.UTF8.GetString(kept.Store.Content("dirty")!).ShouldBe("mine");
        kept.Objects.ShouldBe(["dirty", "same", "stale", "step-1/.metadata", "step-1/a"]);
        kept.Manifests.Single().Bytes.ShouldBe(10);
    }

    [Fact]
    public async Task A_bucket_that_was_emptied_takes_nothing_from_a_cache()
    {
        await using var kept = new AMount(Slow);
        kept.Write("a", "1");
        await kept.FlushAsync();
        await kept.StopAsync();
        await kept.Store.DeleteAsync("a", TestContext.Current.CancellationToken);
        kept.Start();
        await FetchAsync(kept);
        Text(kept, "a").ShouldBe("1");
    }

    [Fact]
    public async Task What_several_nodes_wrote_of_a_checkpoint_comes_as_one()
    {
        var store = new MemoryStore();
        await using (var other = AMount.OfRank(1, 2, store, front: Slow))
        await using (var first = AMount.OfRank(0, 2, store, front: Slow))
        {
            other.Write("step-1/__1_0.distcp", "of rank 1");
            first.Write("step-1/__0_0.distcp", "of rank 0");
            await other.FlushAsync();
            first.Write("step-1/.metadata", "1");
            await first.FlushAsync();
        }

        await using var mount = new AMount(Slow, store);
        await FetchAsync(mount);
        await mount.FlushAsync();
        (Text(mount, "step-1/__0_0.distcp"), Text(mount, "step-1/__1_0.distcp")).ShouldBe(("of rank 0", "of rank 1"));
        store.Visible.Count(key => key == "step-1/__1_0.distcp").ShouldBe(1);
    }

    [Fact]
    public async Task What_the_user_has_written_and_the_store_has_not_is_never_replaced()
    {
        var store = await StoredAsync(mount =>
        {
            mount.Write("log.txt", "theirs");
            mount.Write("step-1/a", "theirs");
            mount.Write("step-1/.metadata", "1");
        });
        var hold = new TaskCompletionSource();
        store.Before = (call, _) => call is "put" ? hold.Task : Task.CompletedTask;
        await using var mount = new AMount(Slow, store);
        mount.Write("log.txt", "mine");
        mount.Write("step-1/a", "mine");
        await FetchAsync(mount);
        (Text(mount, "log.txt"), Text(mount, "step-1/a")).ShouldBe(("mine", "mine"));
        hold.SetResult();
        await mount.FlushAsync();
        System.Text.Encoding.UTF8.GetString(store.Content("step-1/a")!).ShouldBe("mine");
    }

    [Fact]
    public async Task A_link_of_the_users_leads_nothing_out_of_the_mount()
    {
        using var outside = new TemporaryDirectory();
        var store = await StoredAsync(mount => mount.Write("sub/file", "1"));
        await using var mount = new AMount(Slow, store);
        File.CreateSymbolicLink(mount["sub"], outside.FullName);
        await FetchAsync(mount);
        Directory.GetFileSystemEntries(outside.FullName).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("../escaped")]
    [InlineData("/rooted")]
    [InlineData("a//b")]
    [InlineData("folder/")]
    public async Task A_key_that_is_no_path_below_the_mount_is_left_in_the_store(string key)
    {
        var store = new MemoryStore();
        await store.PutAsync(key, ObjectBody.Of("1"u8.ToArray()), new Dictionary<string, string>(), TestContext.Current.CancellationToken);
        await using var mount = new AMount(Slow, store);
        await FetchAsync(mount);
        Directory.GetFileSystemEntries(mount["."]).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_store_that_can_not_be_read_is_waited_for_and_told_of()
    {
        var store = await StoredAsync(mount => mount.Write("log.txt", "first"));
        var isDown = true;
        store.Before = (call, _) => isDown && call == "read" ? throw new StoreException(StoreProblem.Denied, "access is denied") : Task.CompletedTask;
        await using var mount = new AMount(Slow, store);
        using var arrivals = Arrivals(mount);
        var fetching = arrivals.FetchFirstAsync(TestContext.Current.CancellationToken);
        await Condition.UntilAsync("it says why it waits", () => arrivals.Trouble?.StartsWith("access to memory is denied", StringComparison.Ordinal) == true);
        isDown = false;
        await fetching.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        (arrivals.Trouble, Text(mount, "log.txt")).ShouldBe((null, "first"));
    }

    private static async Task<MemoryStore> StoredAsync(Action<AMount> write)
    {
        await using var mount = new AMount(Slow);
        write(mount);
        await mount.FlushAsync();
        return mount.Store;
    }

    private static Arrivals Arrivals(AMount mount) => new(mount.Mount, mount.Store, mount.Staging, TimeProvider.System, NullLogger.Instance);

    private static async Task FetchAsync(AMount mount)
    {
        using var arrivals = Arrivals(mount);
        await arrivals.FetchFirstAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
    }

    private static string Text(AMount mount, string path) => File.ReadAllText(mount[path]);
}
