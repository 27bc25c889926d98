using System.Buffers;
using CsCheck;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Tests.Journal;

/// <summary>Random journals.</summary>
internal static class AJournal
{
    private static readonly Gen<string> Path = Gen.OneOf("a", "step-1/shard-0", "step-1/ü ✓", "step-2", "latest");
    private static readonly Gen<long> Sequence = Gen.Long[1, 12];
    private static readonly Gen<Fingerprint> File = Gen.Select(Gen.ULong, Gen.Long[0, 1L << 40], Gen.Long, Gen.Long, Gen.Bool, (inode, size, modified, changed, racy) => new Fingerprint(inode, size, modified, changed, racy));

    /// <summary>Records in any order, also such as no program would write; but no store gives two operations the same upload.</summary>
    public static readonly Gen<JournalRecord> Record = Gen.OneOf<JournalRecord>(
        Gen.Select(Sequence, Path, File, (s, p, f) => (JournalRecord)new Closed(s, p, f)),
        Gen.Select(Sequence, Path, Gen.OneOf("u1", "u2", "an upload id with spaces and =+/"), Gen.Long[1, 1 << 30], (s, p, u, z) => (JournalRecord)new UploadBegun(s, p, $"{u} {s}", z)),
        Gen.Select(Sequence, Path, Gen.OneOf("u1", "u2"), Gen.Int[1, 9], Gen.UInt, (s, p, u, n, c) => (JournalRecord)new PartStored(s, p, $"{u} {s}", n, "\"e\"", c)),
        Gen.Select(Sequence, Path, Gen.OneOf("u1", "u2"), (s, p, u) => (JournalRecord)new UploadEnded(s, p, $"{u} {s}")),
        Gen.Select(Sequence, Path, File, Gen.UInt, (s, p, f, c) => (JournalRecord)new Completed(s, p, f, "\"etag\"", c)),
        Gen.Select(Sequence, Path, (s, p) => (JournalRecord)new Removed(s, p, s % 2 == 0)),
        Gen.Select(Sequence, Path, Gen.Bool, (s, p, g) => (JournalRecord)new Settled(s, p, g)),
        Gen.Select(Sequence, Path, (s, p) => (JournalRecord)new Evicted(s, p)),
        Gen.Select(Sequence, Path, (s, p) => (JournalRecord)new Diverted(s, p, p + ".conflict-node-1")),
        Gen.Select(Sequence, Path, Gen.Bool, (s, p, b) => (JournalRecord)new CheckpointFinished(s, p, b)),
        Gen.Select(Sequence, Path, Gen.Bool, (s, p, g) => (JournalRecord)new CheckpointPublished(s, p, g)));

    // What follows the beginning of an operation: a number belongs to one path, every third one is a checkpoint's.
    private static readonly Gen<(long Sequence, Func<long, string, JournalRecord[]> Step)> Step = Gen.Select(Sequence, Gen.Int[0, 7], Gen.Int[1, 3], Gen.Bool, (sequence, kind, id, flag) => (sequence, (Func<long, string, JournalRecord[]>)((s, p) => (s % 3, kind) switch
    {
        (0, _) => [new CheckpointPublished(s, p, flag)],
        (_, 0) => [new UploadBegun(s, p, $"u{s}-{id}", 16)],
        (_, 1) => [new UploadBegun(s, p, $"u{s}-{id}", 16), new PartStored(s, p, $"u{s}-{id}", 1, "e", 7)],
        (_, 2) => [new UploadEnded(s, p, $"u{s}-{id}")],
        (_, 3) => [new Completed(s, p, default, "e", 7)],
        (_, 4) => [new Completed(s, p, default, "e", 7), new Evicted(s, p)],
        (_, 5) => [new Diverted(s, p, p + ".conflict-node-1"), new Completed(s, p, default, "e", 7)],
        _ => [new Settled(s, p, flag)],
    })));

    /// <summary>Journals as a program may write them, of which some records are lost: numbers are given out in order.</summary>
    public static readonly Gen<List<JournalRecord>> Written = Gen.Select(Step.List[0, 40], Gen.Bool.Array[12], Gen.Int[0, 4].Array[40]).Select((steps, lost, ahead) =>
    {
        var (records, ended, begun) = (new List<JournalRecord>(), new HashSet<string>(StringComparer.Ordinal), 0L);
        foreach (var (index, (sequence, step)) in steps.OrderBy(step => step.Sequence).Index())
        {
            for (; begun < Math.Min(12, sequence + ahead[index]); begun++)
            {
                if (!lost[begun]) records.Add(Begin(begun + 1));
            }

            foreach (var record in step(sequence, PathOf(sequence)))
            {
                if (record is UploadEnded end) ended.Add(end.UploadId);
                if (!IsOfAny(ended, record)) records.Add(record);
            }
        }

        return records;
    });

    // A store gives every upload an id of its own: one that has ended is not begun again.
    private static bool IsOfAny(HashSet<string> ended, JournalRecord record) => record switch
    {
        UploadBegun begun => ended.Contains(begun.UploadId),
        PartStored part => ended.Contains(part.UploadId),
        _ => false,
    };

    private static JournalRecord Begin(long sequence) => (sequence % 3, sequence % 5) switch
    {
        (0, _) => new CheckpointFinished(sequence, PathOf(sequence), sequence % 2 == 0),
        (_, 0) => new Removed(sequence, PathOf(sequence)),
        _ => new Closed(sequence, PathOf(sequence), default),
    };

    private static string PathOf(long sequence) => $"p{sequence % 2}";

    public static byte[] Bytes(IEnumerable<JournalRecord> records)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var record in records) RecordCodec.Write(record, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    public static Ledger Applied(params IEnumerable<JournalRecord> records)
    {
        var ledger = new Ledger();
        foreach (var record in records) ledger.Apply(record);
        return ledger;
    }

    /// <summary>All that a ledger says, to compare two.</summary>
    public static string Says(Ledger ledger) => string.Join('\n', ledger.Snapshot().Select(record => record.ToString()).Order(StringComparer.Ordinal));
}
