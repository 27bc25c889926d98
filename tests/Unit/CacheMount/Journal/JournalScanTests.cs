using CsCheck;
using Trestle.CacheMount.Journal;

namespace Trestle.CacheMount.Tests.Journal;

public sealed class JournalScanTests
{
    [Fact]
    public void Every_record_is_read_back_as_it_was_written() =>
        AJournal.Record.List[0, 20].Sample(records => JournalScan.Of(AJournal.Bytes(records)).Records.SequenceEqual(records));

    [Fact]
    public void A_journal_cut_at_any_byte_keeps_every_record_before_the_cut() =>
        AJournal.Record.List[1, 6].Sample(
            records =>
            {
                var (bytes, ends) = Laid(records);
                for (var cut = 0; cut <= bytes.Length; cut++)
                {
                    var scan = JournalScan.Of(bytes.AsSpan(0, cut));
                    scan.Records.ShouldBe(records.Take(ends.Count(end => end <= cut)));
                    scan.DamagedBytes.ShouldBe(cut - scan.SoundLength);
                }
            },
            iter: 20);

    [Fact]
    public void A_byte_that_is_wrong_costs_its_own_record_and_no_other() =>
        AJournal.Record.List[1, 6].Sample(
            records =>
            {
                var (bytes, ends) = Laid(records);
                for (var at = 0; at < bytes.Length; at++)
                {
                    bytes[at] ^= 0x5a;
                    JournalScan.Of(bytes).Records.ShouldBe(records.Where((_, index) => index != ends.Count(end => end <= at)));
                    bytes[at] ^= 0x5a;
                }
            },
            iter: 20);

    [Fact]
    public void Noise_before_between_and_behind_makes_no_record_up() =>
        Gen.Select(AJournal.Record.List[1, 4], Gen.Byte.Array[0, 40]).Sample((records, noise) =>
        {
            byte[] bytes = [.. noise, .. AJournal.Bytes(records), .. noise, .. AJournal.Bytes(records), .. noise];
            JournalScan.Of(bytes).Records.ShouldBe([.. records, .. records]);
        });

    private static (byte[] Bytes, int[] Ends) Laid(List<JournalRecord> records)
    {
        var length = 0;
        return (AJournal.Bytes(records), [.. records.Select(record => length += AJournal.Bytes([record]).Length)]);
    }
}
