namespace Trestle.CacheMount.Journal;

/// <summary>What the bytes of a journal still say.</summary>
/// <param name="Records">Every sound record, in order.</param>
/// <param name="DamagedBytes">Bytes that belong to no sound record.</param>
/// <param name="SoundLength">Length up to the end of the last sound record.</param>
internal sealed record JournalScan(IReadOnlyList<JournalRecord> Records, long DamagedBytes, int SoundLength)
{
    /// <summary>Reads what can be read: behind damage it goes on at the next sound frame.</summary>
    public static JournalScan Of(ReadOnlySpan<byte> bytes)
    {
        var records = new List<JournalRecord>();
        var (at, sound, damaged) = (0, 0, 0L);
        while (at < bytes.Length)
        {
            if (RecordCodec.TryRead(bytes[at..], out var record, out var length))
            {
                records.Add(record!);
                sound = at += length;
                continue;
            }

            var next = RecordCodec.NextMarker(bytes[at..]);
            var skipped = next < 0 ? bytes.Length - at : next;
            damaged += skipped;
            at += skipped;
        }

        return new JournalScan(records, damaged, sound);
    }
}
