using System.Text;
using Trestle.CacheMount.Control;
using Trestle.CacheMount.Directories;

namespace Trestle.CacheMount.Tests.Flush;

/// <summary>Two caches that write the same keys.</summary>
public sealed class ConflictTests
{
    private const string Long = "a longer text, which goes in several parts";
    private static readonly FrontSettings Slow = new() { LookAgain = TimeSpan.FromHours(1), RescanEvery = TimeSpan.FromHours(1), HoldTemporary = TimeSpan.FromHours(1) };

    [Theory]
    [InlineData("1", true)]
    [InlineData("1", false)]
    [InlineData(Long, true)]
    [InlineData(Long, false)]
    public async Task Both_are_kept_and_it_is_said(string content, bool knowsConditions)
    {
        var store = new MemoryStore { KnowsConditions = knowsConditions };
        await using var one = AMount.OfRank(0, 2, store, front: Slow);
        await using var other = AMount.OfRank(1, 2, store, front: Slow);
        one.Write("log", "one " + content);
        await one.FlushAsync();
        other.Write("log", "two " + content);
        await other.FlushAsync();
        one.Write("log", "one anew " + content);
        await one.FlushAsync();
        other.Write("log", "two anew " + content);
        await other.FlushAsync();
        (Text(store, "log"), Text(store, "log.conflict-node-1")).ShouldBe(("one anew " + content, "two anew " + content));
        one.Objects.Count.ShouldBe(2);
        store.OpenUploads.ShouldBe(0);
        var status = MountStatus.Of(other.Mount, store);
        status.Conflict().ShouldBe("1 files were written by somebody else too, and both are kept, e.g. log as log.conflict-node-1");
        MetricsText.Of(status).ShouldContain("trestle_cachemount_conflicts 1\n");
        MountStatus.Of(one.Mount, store).Conflict().ShouldBeNull();

        await other.StopAsync();
        other.Start();
        await other.FlushAsync();
        File.Delete(other["log"]);
        await other.FlushAsync();
        other.Write("unrelated", "1");
        await Trestle.Testing.Condition.UntilAsync("its own goes and the other's stays", () => one.Objects.SequenceEqual(["log", "unrelated"]));
    }

    [Fact]
    public async Task The_same_content_is_no_conflict()
    {
        var store = new MemoryStore();
        await using var one = AMount.OfRank(0, 2, store, front: Slow);
        await using var other = AMount.OfRank(1, 2, store, front: Slow);
        one.Write("config", "same");
        await one.FlushAsync();
        other.Write("config", "same");
        await other.FlushAsync();
        one.Objects.ShouldBe(["config"]);
        store.Visible.Count(key => key == "config").ShouldBe(1);
    }

    [Fact]
    public async Task What_was_there_before_and_what_an_older_attempt_wrote_is_replaced_and_a_newer_one_is_not()
    {
        var store = new MemoryStore();
        store.Place("log", "before"u8.ToArray(), new Dictionary<string, string>());
        await using var older = AMount.OfRank(0, 1, store, attempt: 1, Slow);
        older.Write("log", "older");
        await older.FlushAsync();
        await using var newer = AMount.OfRank(3, 1, store, attempt: 2, Slow);
        newer.Write("log", "newer");
        await newer.FlushAsync();
        Text(store, "log").ShouldBe("newer");
        older.Write("log", "older, late");
        await older.FlushAsync();
        (Text(store, "log"), Text(store, "log.conflict-node-0")).ShouldBe(("newer", "older, late"));
    }

    private static string Text(MemoryStore store, string key) => Encoding.UTF8.GetString(store.Content(key)!);
}
