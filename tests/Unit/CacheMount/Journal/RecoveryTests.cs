using CsCheck;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;
using Trestle.Testing;

namespace Trestle.CacheMount.Tests.Journal;

public sealed class RecoveryTests
{
    // Write a new version of a file, or store the newest version of one, or store and give it up.
    private static readonly Gen<List<(int Path, bool IsStored)>> History = Gen.Select(Gen.Int[0, 3], Gen.Bool).List[1, 14];

    [Fact]
    public void Whatever_happens_to_the_journal_a_file_that_the_store_has_not_got_is_dirty() =>
        Gen.Select(History, Gen.Int[0, 4000], Gen.Int[0, 255], Gen.Bool).Sample((history, at, noise, isCut) =>
        {
            var (records, disk, store) = Played(history);
            var bytes = AJournal.Bytes(records);
            if (isCut) bytes = bytes[..(at % (bytes.Length + 1))];
            else if (bytes.Length > 0) bytes[at % bytes.Length] = (byte)noise;
            var ledger = AJournal.Applied(JournalScan.Of(bytes).Records);
            foreach (var record in Recovery.Plan(ledger, disk.Select(file => new FoundFile(file.Key, file.Value)))) ledger.Apply(record);
            var dirty = ledger.Pending.OfType<Store>().ToDictionary(pending => pending.Path, pending => pending.File);
            foreach (var (path, file) in disk.Where(file => !store.TryGetValue(file.Key, out var stored) || stored != file.Value)) dirty[path].ShouldBe(file);
        }, iter: 3000);

    [Fact]
    public void What_is_proven_clean_is_not_sent_again_and_what_was_pending_keeps_its_place()
    {
        var (clean, pending, unknown) = (File(1, 1), File(2, 3), File(3, 2));
        var ledger = AJournal.Applied(new Closed(1, "clean", clean), new Completed(1, "clean", clean, "e", 0), new Closed(2, "pending", pending));
        Recovery.Plan(ledger, [new("clean", clean), new("pending", pending), new("unknown", unknown)]).ShouldBe([new Closed(3, "unknown", unknown)]);
    }

    [Fact]
    public void A_file_that_was_looked_at_within_a_tick_of_its_change_is_not_proven_clean()
    {
        var racy = File(1, 1) with { Racy = true };
        var ledger = AJournal.Applied(new Completed(1, "a", racy, "e", 0));
        Recovery.Plan(ledger, [new("a", File(1, 1))]).Count.ShouldBe(1);
    }

    [Fact]
    public void Without_a_journal_files_go_in_the_order_of_their_times() =>
        Recovery.Plan(new Ledger(), [new("b", File(1, 30)), new("c", File(2, 10)), new("a", File(3, 30))]).Select(record => record.Path).ShouldBe(["c", "a", "b"]);

    [Fact]
    public async Task A_journal_goes_on_after_a_restart_and_a_damaged_one_is_kept()
    {
        using var directory = new TemporaryDirectory();
        await using (var book = Book.Open(directory["journal"], TimeProvider.System)) await book.Record(new Closed(1, "a", File(1, 1)), new Closed(2, "b", File(2, 2)));
        await using (var book = Book.Open(directory["journal"], TimeProvider.System))
        {
            book.DamagedBytes.ShouldBe(0);
            book.Read(ledger => ledger.Pending.Count).ShouldBe(2);
        }

        var bytes = await System.IO.File.ReadAllBytesAsync(directory["journal"], TestContext.Current.CancellationToken);
        bytes[^1] ^= 1;
        await System.IO.File.WriteAllBytesAsync(directory["journal"], bytes, TestContext.Current.CancellationToken);
        await using (var book = Book.Open(directory["journal"], TimeProvider.System))
        {
            book.DamagedBytes.ShouldBeGreaterThan(0);
            book.Read(ledger => ledger.Pending.Single().Path).ShouldBe("a");
        }

        (await System.IO.File.ReadAllBytesAsync(directory["journal.damaged"], TestContext.Current.CancellationToken)).ShouldBe(bytes);
    }

    private static Fingerprint File(ulong inode, long modified) => new(inode, 10, modified, modified, Racy: false);

    private static (List<JournalRecord> Records, Dictionary<string, Fingerprint> Disk, Dictionary<string, Fingerprint> Store) Played(List<(int Path, bool IsStored)> history)
    {
        var (records, disk, store) = (new List<JournalRecord>(), new Dictionary<string, Fingerprint>(), new Dictionary<string, Fingerprint>());
        var closes = new Dictionary<string, long>();
        var time = 0L;
        foreach (var (number, isStored) in history)
        {
            var path = $"f{number}";
            if (isStored && disk.TryGetValue(path, out var file))
            {
                store[path] = file;
                records.Add(new Completed(closes[path], path, file, "e", 0));
            }
            else
            {
                disk[path] = File((ulong)number, ++time);
                records.Add(new Closed(closes[path] = time, path, disk[path]));
            }
        }

        return (records, disk, store);
    }
}
