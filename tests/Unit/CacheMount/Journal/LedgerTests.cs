using CsCheck;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Tests.Journal;

public sealed class LedgerTests
{
    private static readonly Fingerprint One = new(1, 10, 100, 100, Racy: false);
    private static readonly Fingerprint Two = new(2, 20, 200, 200, Racy: false);

    [Fact]
    public void Replaying_a_journal_again_changes_nothing() =>
        AJournal.Written.Sample(records => AJournal.Says(AJournal.Applied(records)) == AJournal.Says(AJournal.Applied([.. records, .. records])), iter: 2000);

    [Fact]
    public void What_a_ledger_writes_anew_says_the_same() =>
        AJournal.Record.List[0, 40].Sample(records =>
        {
            var ledger = AJournal.Applied(records);
            return AJournal.Says(AJournal.Applied(ledger.Snapshot())) == AJournal.Says(ledger);
        }, iter: 2000);

    [Fact]
    public void A_newer_close_takes_the_place_of_the_older_one_and_of_its_upload()
    {
        var ledger = AJournal.Applied(new Closed(1, "a", One), new UploadBegun(1, "a", "u", 16), new PartStored(1, "a", "u", 1, "e", 7), new Closed(2, "a", Two));
        ledger.Pending.ShouldBe([new Store(2, "a", Two)]);
        ledger.UploadOf(1).ShouldBeNull();
        AJournal.Applied(new Closed(1, "a", One), new Closed(2, "a", Two), new Completed(1, "a", One, "e", 7)).Pending.ShouldBe([new Store(2, "a", Two)]);
    }

    [Fact]
    public void What_is_completed_is_done_and_what_was_removed_is_gone()
    {
        var ledger = AJournal.Applied(new Closed(1, "a", One), new Completed(1, "a", One, "e", 7));
        ledger.Pending.ShouldBeEmpty();
        ledger.StoredFiles["a"].ShouldBe(new Stored(1, One, "e", 7, IsEvicted: false));
        ledger.Apply(new Removed(2, "a"));
        ledger.Pending.ShouldBe([new Remove(2, "a")]);
        ledger.Apply(new Settled(2, "a", IsGone: true));
        ledger.Pending.ShouldBeEmpty();
        ledger.StoredFiles.ShouldBeEmpty();
        ledger.NextSequence().ShouldBe(3);
    }

    [Fact]
    public void Parts_of_an_upload_that_was_begun_anew_do_not_count()
    {
        var ledger = AJournal.Applied(new Closed(1, "a", One), new UploadBegun(1, "a", "u", 16), new PartStored(1, "a", "u", 1, "e", 7), new UploadBegun(1, "a", "v", 16), new PartStored(1, "a", "u", 2, "e", 8));
        ledger.UploadOf(1)!.UploadId.ShouldBe("v");
        ledger.UploadOf(1)!.Parts.ShouldBeEmpty();
    }
}
