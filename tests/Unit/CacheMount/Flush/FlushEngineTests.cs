using System.Collections.Concurrent;
using System.Text;
using CsCheck;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Tests.Flush;

public sealed class FlushEngineTests
{
    private const string Long = "a file that needs a few parts";

    [Fact]
    public async Task Files_become_visible_in_close_order_whatever_the_store_does() =>
        await Gen.Select(Gen.Int[0, 40].Array[2, 8], Gen.Int[0, 9].Array[30]).SampleAsync(
            async (sizes, faults) =>
            {
                var calls = 0;
                // It is well at last: faults that come in the same order for ever may meet the same request each time.
                int Next() => Interlocked.Increment(ref calls) is var call && call < 10 * faults.Length ? faults[call % faults.Length] : 0;
                var store = new MemoryStore
                {
                    Before = async (_, _) =>
                    {
                        var fault = Next();
                        if (fault < 4) await Task.Delay(fault);
                        if (fault == 8) throw new StoreException(StoreProblem.SlowDown, "slow down");
                    },
                    After = (_, _) => Next() == 9 ? throw new StoreException(StoreProblem.Unavailable, "the answer was lost") : Task.CompletedTask,
                };
                await using var fixture = new EngineFixture(store);
                var names = sizes.Select((_, index) => $"f{index:00}").ToList();
                foreach (var (size, name) in sizes.Zip(names)) await fixture.CloseAsync(name, new string(name[^1], size));
                await fixture.FlushAsync();
                // A lost answer makes an object to be stored twice, which nobody sees.
                store.Visible.Distinct().ShouldBe(names);
                foreach (var (size, name) in sizes.Zip(names)) store.Content(name).ShouldBe(Encoding.UTF8.GetBytes(new string(name[^1], size)));
                fixture.Book.Read(ledger => ledger.Pending.Count).ShouldBe(0);
            },
            iter: 60);

    [Fact]
    public async Task A_later_file_that_is_ready_waits_for_an_earlier_one()
    {
        var slow = new TaskCompletionSource();
        await using var fixture = new EngineFixture();
        var ready = new ConcurrentDictionary<string, bool>();
        fixture.Store.Before = (call, key) => call == "part" && key == "first" ? slow.Task : Task.CompletedTask;
        fixture.Store.After = (call, key) =>
        {
            if (call == "part") ready[key] = true;
            return Task.CompletedTask;
        };
        await fixture.CloseAsync("first", Long);
        await fixture.CloseAsync("second", Long);
        await Trestle.Testing.Condition.UntilAsync("the second has parts in the store", () => ready.ContainsKey("second"));
        fixture.Store.Keys.ShouldBeEmpty();
        slow.SetResult();
        await fixture.FlushAsync();
        fixture.Store.Visible.ShouldBe(["first", "second"]);
    }

    [Fact]
    public async Task A_file_that_is_closed_again_is_sent_as_it_is_now_and_the_old_upload_is_given_up()
    {
        var slow = new TaskCompletionSource();
        await using var fixture = new EngineFixture();
        fixture.Store.Before = (call, _) => call == "part" ? slow.Task : Task.CompletedTask;
        await fixture.CloseAsync("a", Long);
        await Trestle.Testing.Condition.UntilAsync("parts are under way", () => fixture.Store.Calls.GetValueOrDefault("part") > 0);
        await fixture.CloseAsync("a", Long + " and more");
        slow.SetResult();
        await fixture.FlushAsync();
        Encoding.UTF8.GetString(fixture.Store.Content("a")!).ShouldBe(Long + " and more");
        await Trestle.Testing.Condition.UntilAsync("no upload is left", () => fixture.Store.OpenUploads == 0);
        fixture.Store.Visible.ShouldBe(["a"]);
    }

    [Fact]
    public async Task A_file_that_changed_before_its_turn_is_not_made_visible_and_is_looked_at_again()
    {
        await using var fixture = new EngineFixture();
        var rechecked = new List<string>();
        fixture.OnRecheck = path =>
        {
            rechecked.Add(path);
            return fixture.Engine.StoreAsync(path, fixture.Look(path));
        };
        fixture.Store.Before = async (call, _) =>
        {
            if (call == "part" && rechecked.Count == 0) await File.WriteAllTextAsync(fixture["a"], Long + " changed");
        };
        await fixture.CloseAsync("a", Long);
        await fixture.FlushAsync();
        rechecked.ShouldNotBeEmpty();
        fixture.Store.Visible.ShouldBe(["a"]);
        Encoding.UTF8.GetString(fixture.Store.Content("a")!).ShouldBe(Long + " changed");
    }

    [Fact]
    public async Task Parts_that_the_store_has_are_not_sent_again_after_a_restart()
    {
        await using var fixture = new EngineFixture();
        fixture.Store.Before = (call, _) => call == "complete" ? throw new StoreException(StoreProblem.Unavailable, "away") : Task.CompletedTask;
        await fixture.CloseAsync("a", Long);
        await Trestle.Testing.Condition.UntilAsync("all parts are in the store", () => fixture.Store.Calls.GetValueOrDefault("complete") > 0);
        var parts = fixture.Store.Calls["part"];
        await fixture.RestartAsync();
        fixture.Store.Before = (_, _) => Task.CompletedTask;
        await fixture.FlushAsync();
        fixture.Store.Calls["part"].ShouldBe(parts);
        fixture.Store.Calls["begin"].ShouldBe(1);
        Encoding.UTF8.GetString(fixture.Store.Content("a")!).ShouldBe(Long);
    }

    [Fact]
    public async Task An_upload_that_the_store_has_forgotten_is_begun_anew()
    {
        await using var fixture = new EngineFixture();
        var forgotten = false;
        fixture.Store.Before = async (call, _) =>
        {
            if (call != "complete" || forgotten) return;
            forgotten = true;
            await foreach (var upload in fixture.Store.ListUploadsAsync("", CancellationToken.None)) await fixture.Store.AbortUploadAsync(upload.Key, upload.UploadId, CancellationToken.None);
        };
        await fixture.CloseAsync("a", Long);
        await fixture.FlushAsync();
        fixture.Store.Calls["begin"].ShouldBe(2);
        Encoding.UTF8.GetString(fixture.Store.Content("a")!).ShouldBe(Long);
    }

    [Fact]
    public async Task A_store_that_keeps_less_than_it_was_given_is_found_out()
    {
        await using var fixture = new EngineFixture();
        var lies = 2;
        fixture.Store.After = async (call, key) =>
        {
            if (call == "complete" && lies-- > 0) fixture.Store.Place(key, [1, 2, 3], (await fixture.Store.HeadAsync(key, CancellationToken.None))!.Metadata);
        };
        await fixture.CloseAsync("a", Long);
        await fixture.FlushAsync();
        Encoding.UTF8.GetString(fixture.Store.Content("a")!).ShouldBe(Long);
        fixture.Engine.Counters.Retries["WrongParts"].ShouldBe(2);
    }

    [Fact]
    public async Task A_removed_file_goes_from_the_store_in_its_turn_and_one_that_never_was_there_costs_nothing()
    {
        await using var fixture = new EngineFixture();
        await fixture.CloseAsync("a", "1");
        await fixture.FlushAsync();
        File.Delete(fixture["a"]);
        await fixture.Engine.RemoveAsync("a");
        await fixture.Engine.RemoveAsync("never");
        await fixture.FlushAsync();
        fixture.Store.Keys.ShouldBeEmpty();
        fixture.Store.Calls["delete"].ShouldBe(1);
    }

    [Fact]
    public async Task A_manifest_follows_all_that_was_closed_before_it_and_a_flush_waits_for_it()
    {
        await using var fixture = new EngineFixture();
        var seen = new List<string>();
        fixture.OnPublish = publish =>
        {
            seen.Add(string.Join(',', fixture.Store.Keys));
            return Task.FromResult(seen.Count > 1 ? Publication.Published : Publication.NotYet);
        };
        await fixture.CloseAsync("step/a", Long);
        await fixture.CloseAsync("step/b", "1");
        await fixture.Engine.PublishAsync("step");
        await fixture.FlushAsync();
        seen.ShouldBe(["step/a,step/b", "step/a,step/b"]); // the first time it was told that files are not clean
        fixture.Book.Read(ledger => ledger.Published.ContainsKey("step")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("1", "2")]
    [InlineData("an older version, in some parts", "a newer version, in some parts")]
    public async Task A_version_that_the_store_does_late_does_not_win_over_the_one_that_was_sent_after_it(string older, string newer)
    {
        await using var fixture = new EngineFixture();
        fixture.Store.KnowsConditions = false;
        var asked = new TaskCompletionSource();
        fixture.Store.Before = async (call, _) =>
        {
            if (call is not ("put" or "complete") || !asked.TrySetResult()) return;
            await Task.Delay(100, TestContext.Current.CancellationToken);
            throw new StoreException(StoreProblem.Unavailable, "the answer was lost");
        };
        await fixture.CloseAsync("a", older);
        await asked.Task;
        await fixture.CloseAsync("a", newer);
        await Trestle.Testing.Condition.UntilAsync("the newer one is there", () => fixture.Store.Content("a") is { } there && there.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(newer)));
        fixture.Store.Place("a", System.Text.Encoding.UTF8.GetBytes(older), new Dictionary<string, string> { ["trestle-write"] = "node-1" });
        await fixture.FlushAsync();
        System.Text.Encoding.UTF8.GetString(fixture.Store.Content("a")!).ShouldBe(newer);
    }

    [Fact]
    public async Task Trouble_names_what_holds_the_first_file_up_and_goes_away()
    {
        await using var fixture = new EngineFixture();
        var denied = true;
        fixture.Store.Before = (_, _) => denied ? throw new StoreException(StoreProblem.Denied, "access denied") : Task.CompletedTask;
        await fixture.CloseAsync("a", "1");
        await Trestle.Testing.Condition.UntilAsync("the engine says why", () => fixture.Engine.Trouble() == "access denied");
        denied = false;
        await fixture.FlushAsync();
        fixture.Engine.Trouble().ShouldBeNull();
    }
}
