using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Stores;
using Trestle.CacheMount.Tests.Flush;
using Trestle.Testing;

namespace Trestle.CacheMount.Tests.Checkpoints;

/// <summary>Checkpoints that several ranks write, each into a cache of its own.</summary>
public sealed class SharedCheckpointTests
{
    private static readonly FrontSettings Slow = new() { LookAgain = TimeSpan.FromMilliseconds(200), RescanEvery = TimeSpan.FromHours(1), HoldTemporary = TimeSpan.FromHours(1) };

    [Fact]
    public async Task It_is_listed_when_the_files_of_all_ranks_are_in_the_store_and_with_all_of_them()
    {
        var store = new MemoryStore();
        await using var ranks = new Ranks(4, store);
        var isDown = true;
        store.Before = (call, key) => isDown && call is "put" or "part" && key == "step-1/3" ? throw new StoreException(StoreProblem.Unavailable, "down") : Task.CompletedTask;
        for (var rank = 0; rank < 4; rank++) ranks[rank].Write($"step-1/{rank}", "1");
        ranks[0].Write("step-1/.metadata", "1");
        await Condition.UntilAsync("one is waited for", () => ranks[1].Mount.Shares!.Missing.GetValueOrDefault("step-1") is [3]);
        ranks[0].Manifests.ShouldBeEmpty();
        isDown = false;
        await ranks[0].FlushAsync();
        var manifest = ranks[0].Manifests.Single();
        manifest.Files.Select(file => file.Path).ShouldBe(["step-1/.metadata", "step-1/0", "step-1/1", "step-1/2", "step-1/3"]);
        (manifest.Nodes, manifest.Bytes, manifest.Writer).ShouldBe((4, 5, "node-0"));
        await Condition.UntilAsync("every rank knows it", () => Enumerable.Range(0, 4).All(rank => ranks[rank].Mount.Book.Read(ledger => ledger.Published.ContainsKey("step-1"))));
    }

    [Fact]
    public async Task Ranks_that_write_nothing_hold_nothing_up()
    {
        await using var ranks = new Ranks(3, new MemoryStore());
        ranks[1].Write("step-1.tmp/a", "1");
        Directory.Move(ranks[1]["step-1.tmp"], ranks[1]["step-1"]);
        await ranks[1].FlushAsync();
        ranks[0].Write("step-2", "a file");
        await ranks[0].FlushAsync();
        ranks[0].Manifests.Select(manifest => manifest.Name).ShouldBe(["step-1", "step-2"]);
    }

    [Fact]
    public async Task A_rank_that_writes_checkpoints_is_waited_for_until_its_own_is_there_or_it_has_ended()
    {
        await using var ranks = new Ranks(2, new MemoryStore());
        foreach (var rank in new[] { 0, 1 }) Save(ranks[rank], "step-1", rank);
        await Task.WhenAll(ranks[0].FlushAsync(), ranks[1].FlushAsync());
        await Condition.UntilAsync("both are in it", () => ranks[0].Manifests.Single().Files.Count == 2);

        Save(ranks[0], "step-2", 0);
        await Condition.UntilAsync("it waits for the other", () => ranks[0].Mount.Shares!.Missing.GetValueOrDefault("step-2") is [1]);
        ranks[0].Manifests.Count.ShouldBe(1);
        Save(ranks[1], "step-2", 1);
        await ranks[0].FlushAsync();
        ranks[0].Manifests[1].Files.Select(file => file.Path).ShouldBe(["step-2/0", "step-2/1"]);

        Save(ranks[1], "step-3", 1);
        await Task.WhenAll(ranks[0].Mount.FinishAsync(CancellationToken.None), ranks[1].Mount.FinishAsync(CancellationToken.None)).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        ranks[0].Manifests[2].Files.Select(file => file.Path).ShouldBe(["step-3/1"]);
    }

    [Fact]
    public async Task What_a_rank_wrote_before_it_ended_is_in_what_another_finishes_later()
    {
        await using var ranks = new Ranks(2, new MemoryStore());
        ranks[1].Write("step-1/1", "1");
        await ranks[1].Mount.FinishAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        await ranks[1].StopAsync();
        ranks[0].Write("step-1/0", "1");
        ranks[0].Write("step-1/.metadata", "1");
        await ranks[0].FlushAsync();
        ranks[0].Manifests.Single().Files.Select(file => file.Path).ShouldBe(["step-1/.metadata", "step-1/0", "step-1/1"]);
        ranks[1].Start();
    }

    [Fact]
    public async Task A_dead_rank_leaves_it_unlisted_and_pending_until_it_is_back()
    {
        await using var ranks = new Ranks(2, new MemoryStore());
        ranks[1].Write("step-1/1", "1");
        await ranks[1].FlushAsync();
        await ranks[1].StopAsync();
        ranks[0].Write("step-1/0", "1");
        ranks[0].Write("step-1/.metadata", "1");
        await Condition.UntilAsync("it waits for the dead one", () => ranks[0].Mount.Shares!.Missing.GetValueOrDefault("step-1") is [1]);
        ranks[0].Manifests.ShouldBeEmpty();
        await ranks[0].StopAsync(); // what is waited for survives
        ranks[0].Start();
        ranks[1].Start();
        await ranks[0].FlushAsync();
        ranks[0].Manifests.Single().Files.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Written_anew_by_one_rank_it_is_unlisted_until_all_have_said_so_again()
    {
        await using var ranks = new Ranks(2, new MemoryStore());
        ranks[1].Write("step-1/1", "1");
        ranks[0].Write("step-1/.metadata", "1");
        await ranks[0].FlushAsync();
        ranks[1].Write("step-1/1", "22");
        await ranks[1].FlushAsync();
        ranks[0].Manifests.ShouldBeEmpty();
        ranks[0].Write("step-1/.metadata", "22");
        await ranks[0].FlushAsync();
        ranks[0].Manifests.Single().Bytes.ShouldBe(4);
    }

    [Fact]
    public async Task An_older_attempt_neither_replaces_nor_removes_the_manifest_of_a_newer_one()
    {
        var store = new MemoryStore();
        await using var older = AMount.OfRank(0, 1, store, attempt: 1, Slow);
        older.Write("step-1/a", "old");
        older.Write("step-1/.metadata", "1");
        await older.FlushAsync();
        await using (var newer = AMount.OfRank(0, 1, store, attempt: 2, Slow))
        {
            newer.Write("step-1/a", "newer");
            newer.Write("step-1/.metadata", "2");
            await newer.FlushAsync();
        }

        older.Write("step-1/b", "late");
        older.Write("step-1/.metadata", "3 late");
        await older.FlushAsync();
        older.Manifests.Single().Attempt.ShouldBe(2);
        older.Mount.Book.Read(ledger => ledger.Published.ContainsKey("step-1")).ShouldBeFalse();
        Directory.Delete(older["step-1"], recursive: true);
        await older.FlushAsync();
        older.Manifests.Single().Attempt.ShouldBe(2);
    }

    [Fact]
    public async Task What_can_not_be_stored_keeps_its_checkpoint_from_the_list_and_nobody_from_the_end()
    {
        await using var ranks = new Ranks(2, new MemoryStore());
        ranks[1].Write("step-1/a\u0001b", "1");
        ranks[1].Write("step-1/1", "1");
        ranks[0].Write("step-1/0", "1");
        ranks[0].Write("step-1/.metadata", "1");
        await Task.WhenAll(ranks[0].Mount.FinishAsync(CancellationToken.None), ranks[1].Mount.FinishAsync(CancellationToken.None)).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        ranks[0].Manifests.ShouldBeEmpty();
    }

    // As those do that write beside and rename, each rank on its own.
    private static void Save(AMount mount, string name, int rank)
    {
        mount.Write($"{name}.tmp/{rank}", "1");
        Directory.Move(mount[name + ".tmp"], mount[name]);
    }

    private sealed class Ranks : IAsyncDisposable
    {
        private readonly List<AMount> _mounts;

        public Ranks(int nodes, MemoryStore store) => _mounts = [.. Enumerable.Range(0, nodes).Select(rank => AMount.OfRank(rank, nodes, store, front: Slow))];

        public AMount this[int rank] => _mounts[rank];

        public async ValueTask DisposeAsync()
        {
            foreach (var mount in _mounts) await mount.DisposeAsync();
        }
    }
}
