using System.Text;
using Trestle.CacheMount.Directories;
using Trestle.Testing;

namespace Trestle.CacheMount.Tests;

public sealed class CachedMountTests
{
    private static readonly FrontSettings Slow = new() { LookAgain = TimeSpan.FromHours(1), RescanEvery = TimeSpan.FromHours(1), HoldTemporary = TimeSpan.FromHours(1) };

    [Fact]
    public async Task Files_go_to_the_store_when_they_are_closed()
    {
        await using var mount = new AMount(Slow);
        mount.Write("a", "1");
        mount.Write("deep/er/b", "a longer file");
        await Condition.UntilAsync("both are stored", () => mount.Objects.Count == 2);
        mount.Store.Visible.ShouldBe(["a", "deep/er/b"]);
        Encoding.UTF8.GetString(mount.Store.Content("deep/er/b")!).ShouldBe("a longer file");
    }

    [Fact]
    public async Task A_file_that_somebody_writes_is_not_stored_until_the_last_writer_has_closed_it()
    {
        await using var mount = new AMount();
        using (var one = new FileStream(mount["a"], FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
        {
            await using (var other = new FileStream(mount["a"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) other.Write("half"u8);
            mount.Write("b", "1");
            await mount.FlushAsync();
            mount.Objects.ShouldBe(["b"]);
            mount.Mount.Front.Open.ShouldBe(1);
            one.Seek(0, SeekOrigin.End);
            one.Write(" and half"u8);
        }

        await mount.FlushAsync();
        Encoding.UTF8.GetString(mount.Store.Content("a")!).ShouldBe("half and half");
    }

    [Fact]
    public async Task A_file_that_is_let_go_late_is_not_passed_by_one_that_was_closed_after_it()
    {
        await using var mount = new AMount(Slow with { LetGo = TimeSpan.FromSeconds(10) });
        var late = new FileStream(mount["a"], FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        await File.WriteAllTextAsync(mount["a"], "1", TestContext.Current.CancellationToken);
        mount.Write("b", "1");
        var letting = Task.Run(
            async () =>
            {
                await Task.Delay(50, TestContext.Current.CancellationToken);
                await late.DisposeAsync();
            },
            TestContext.Current.CancellationToken);
        await Condition.UntilAsync("both are stored", () => mount.Objects.Count == 2);
        await letting;
        mount.Store.Visible.ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task Temporary_names_are_held_back_and_a_rename_stores_only_the_final_one()
    {
        await using var mount = new AMount(Slow);
        mount.Write("a.tmp", "1");
        mount.Write(".b.swp", "1");
        mount.Write("step-1.tmp/x", "1");
        File.Move(mount["a.tmp"], mount["a"]);
        await Condition.UntilAsync("the final one is stored", () => mount.Objects.SequenceEqual(["a"]));
        mount.Mount.Front.Held.ShouldBe(2);
        await mount.FlushAsync(); // who wants everything gets these too
        mount.Objects.ShouldBe([".b.swp", "a", "step-1.tmp/x"]);
    }

    [Theory]
    [InlineData("checkpoint.tmp", true)]
    [InlineData("model.pt.tmp.1234", true)]
    [InlineData(".tmp_save/x", true)]
    [InlineData("a~", true)]
    [InlineData("temperature.json", false)]
    [InlineData("template/x", false)]
    [InlineData("shard-0.pt", false)]
    [InlineData("tmpab12cd_x", true)]
    [InlineData("step-5.tmp/shard", true)]
    [InlineData("download.part", true)]
    [InlineData("part-00000.parquet", false)]
    [InlineData("model-part-1", false)]
    [InlineData("attempt-1/model", false)]
    public void Names_that_look_temporary(string path, bool isTemporary) => NameRules.IsTemporary(path).ShouldBe(isTemporary);

    [Fact]
    public async Task Links_and_unnamed_files_that_get_a_name_are_seen()
    {
        await using var mount = new AMount(Slow);
        mount.Write("draft.tmp", "1");
        (await Command.RunAsync("ln", [mount["draft.tmp"], mount["final"]])).ShouldExit(0);
        await Condition.UntilAsync("the link is stored", () => mount.Objects.SequenceEqual(["final"]));
    }

    [Fact]
    public async Task A_directory_that_is_renamed_into_place_is_a_checkpoint_when_all_of_it_is_stored()
    {
        await using var mount = new AMount(Slow);
        mount.Write("step-1.tmp/shard-0", "a longer file");
        mount.Write("step-1.tmp/shard-1", "another longer file");
        Directory.Move(mount["step-1.tmp"], mount["step-1"]);
        await Condition.UntilAsync("its manifest is there", () => mount.Manifests.Count == 1);
        mount.Objects.ShouldBe(["step-1/shard-0", "step-1/shard-1"]);
        mount.Manifests[0].Files.Select(file => (file.Path, file.Size)).ShouldBe([("step-1/shard-0", 13L), ("step-1/shard-1", 19L)]);
        mount.Store.Visible.Last().ShouldBe(".trestle/checkpoints/step-1.json");
    }

    [Fact]
    public async Task What_was_renamed_into_place_while_nobody_served_it_is_a_checkpoint_and_what_was_begun_is_none()
    {
        await using var mount = new AMount(Slow);
        await mount.StopAsync();
        mount.Write("step-1.tmp/shard-0", "a longer file");
        mount.Write("step-2/shard-0", "unfinished");
        var written = File.GetLastWriteTimeUtc(mount["step-1.tmp/shard-0"]);
        SpinWait.SpinUntil(() => Touched(mount["clock"]) > written, TimeSpan.FromSeconds(5)).ShouldBeTrue("the clock of the file system stands still");
        Directory.Move(mount["step-1.tmp"], mount["step-1"]);
        mount.Start();
        await mount.FlushAsync();
        mount.Manifests.Select(manifest => manifest.Name).ShouldBe(["step-1"]);
    }

    [Fact]
    public async Task What_was_committed_by_hand_is_unlisted_when_it_changes_whatever_its_name()
    {
        await using var mount = new AMount(Slow);
        mount.Write("final/a", "1");
        (await mount.Mount.Front.CommitAsync("final")).ShouldBeTrue();
        await mount.FlushAsync();
        mount.Manifests.Select(manifest => manifest.Name).ShouldBe(["final"]);
        mount.Write("final/a", "22");
        await mount.FlushAsync();
        mount.Manifests.ShouldBeEmpty();
    }

    private static DateTime Touched(string path)
    {
        File.WriteAllText(path, "");
        return File.GetLastWriteTimeUtc(path);
    }

    [Fact]
    public async Task A_marker_a_pointer_and_a_file_make_a_checkpoint_too()
    {
        await using var mount = new AMount(Slow);
        mount.Write("step-1/a", "1");
        mount.Write("step-1/.metadata", "1");
        mount.Write("iter_0000007/b", "1");
        mount.Write("latest_checkpointed_iteration.txt", "7");
        mount.Write("step-2", "1");
        mount.Write("step-3/unfinished", "1");
        await mount.FlushAsync();
        mount.Manifests.Select(manifest => manifest.Name).ShouldBe(["iter_0000007", "step-1", "step-2"]);
        (await mount.Mount.Front.CommitAsync("step-3")).ShouldBeTrue();
        await mount.FlushAsync();
        mount.Manifests.Count.ShouldBe(4);
        (await mount.Mount.Front.CommitAsync("step-9")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_checkpoint_that_is_written_anew_is_not_listed_before_it_is_finished_again()
    {
        await using var mount = new AMount(Slow);
        mount.Write("step-1/a", "1");
        mount.Write("step-1/.metadata", "1");
        await mount.FlushAsync();
        mount.Manifests.Count.ShouldBe(1);
        mount.Write("step-1/a", "22");
        await mount.FlushAsync();
        mount.Manifests.ShouldBeEmpty();
        mount.Write("step-1/.metadata", "22");
        await mount.FlushAsync();
        mount.Manifests[0].Bytes.ShouldBe(4);
    }

    [Fact]
    public async Task A_checkpoint_that_is_removed_is_unlisted_before_its_files_go()
    {
        await using var mount = new AMount(Slow);
        mount.Write("step-1/a", "1");
        mount.Write("step-1/.metadata", "1");
        await mount.FlushAsync();
        mount.Store.Before = (call, key) => call == "delete" && !key.StartsWith(".trestle/", StringComparison.Ordinal) && mount.Manifests.Count > 0 ? throw new InvalidOperationException("the manifest is still there") : Task.CompletedTask;
        Directory.Delete(mount["step-1"], recursive: true);
        await mount.FlushAsync();
        mount.Store.Keys.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_renamed_file_is_stored_under_its_new_name_before_the_old_one_goes()
    {
        await using var mount = new AMount(Slow);
        mount.Write("a", "1");
        await mount.FlushAsync();
        mount.Store.Before = (call, key) => call == "delete" && !mount.Objects.Contains("b") ? throw new InvalidOperationException("the store has neither") : Task.CompletedTask;
        File.Move(mount["a"], mount["b"]);
        await mount.FlushAsync();
        mount.Objects.ShouldBe(["b"]);
    }

    [Fact]
    public async Task What_happened_while_nobody_watched_is_found_and_what_is_stored_is_not_sent_again()
    {
        await using var mount = new AMount(Slow);
        mount.Write("a", "1");
        mount.Write("b", "1");
        await mount.FlushAsync();
        await mount.StopAsync();
        mount.Write("b", "2");
        mount.Write("c", "3");
        File.Delete(mount["a"]);
        mount.Start();
        await mount.FlushAsync();
        mount.Store.Visible.ShouldBe(["a", "b", "b", "c"]);
        mount.Objects.ShouldBe(["a", "b", "c"]); // a file that is missing was not removed by anybody we saw
    }

    [Fact]
    public async Task An_evicted_file_stays_in_the_store_and_a_dirty_or_open_one_is_not_evicted()
    {
        await using var mount = new AMount(Slow);
        mount.Write("step-1/a", "1");
        mount.Write("step-1/.metadata", "1");
        await mount.FlushAsync();
        using (File.OpenRead(mount["step-1/a"])) mount.Mount.Evict("step-1/a").ShouldBe(0);
        mount.Mount.Evict("step-1/a").ShouldBeGreaterThan(0);
        File.Exists(mount["step-1/a"]).ShouldBeFalse();
        var slow = new TaskCompletionSource();
        mount.Store.Before = (_, _) => slow.Task;
        mount.Write("dirty", "1");
        await Condition.UntilAsync("it is taken in", () => mount.Mount.Book.Read(ledger => ledger.PendingOf("dirty") is not null));
        mount.Mount.Evict("dirty").ShouldBe(0);
        slow.SetResult();
        await mount.FlushAsync();
        mount.Objects.ShouldBe(["dirty", "step-1/.metadata", "step-1/a"]);
        mount.Manifests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Two_processes_do_not_serve_one_cache()
    {
        await using var mount = new AMount(Slow);
        Should.Throw<IOException>(mount.Start).Message.ShouldContain("another process serves this cache");
    }

    [Fact]
    public async Task Names_that_a_store_can_not_take_are_said_and_hold_nothing_up()
    {
        await using var mount = new AMount(Slow);
        mount.Write("line\nbreak", "1");
        File.CreateSymbolicLink(mount["link"], "/etc/passwd");
        mount.Write(".trestle-x", "1");
        mount.Write("b", "1");
        await mount.FlushAsync();
        mount.Objects.ShouldBe(["b"]);
        mount.Mount.Front.Refused.Keys.Order(StringComparer.Ordinal).ShouldBe([".trestle-x", "line\nbreak", "link"]);
    }
}
