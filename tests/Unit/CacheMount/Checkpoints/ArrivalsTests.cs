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
