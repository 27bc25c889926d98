using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Journal;

/// <summary>
/// Records as bytes. A frame is: marker (4 bytes), length of the payload (4), CRC-32 of length and payload (4), payload; numbers are
/// little-endian. The marker lets a reader find the next frame behind damage.
/// </summary>
internal static class RecordCodec
{
    /// <summary>Bytes before the payload.</summary>
    public const int HeaderSize = 12;

    /// <summary>Longest payload: two paths of the longest kind, and room.</summary>
    public const int MaxPayload = 16 * 1024;

    private static ReadOnlySpan<byte> Marker => "\u007fTJ1"u8;

    /// <summary>Appends the record's frame.</summary>
    public static void Write(JournalRecord record, ArrayBufferWriter<byte> to)
    {
        var payload = Payload(record);
        var frame = to.GetSpan(HeaderSize + payload.Length);
        Marker.CopyTo(frame);
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], payload.Length);
        payload.CopyTo(frame[HeaderSize..]);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[8..], Checksum(frame[4..8], payload));
        to.Advance(HeaderSize + payload.Length);
    }

    /// <summary>Reads the frame at the start of the bytes; false when there is no whole and sound one.</summary>
    /// <param name="bytes">Where a frame may begin.</param>
    /// <param name="record">The record.</param>
    /// <param name="length">Bytes of the frame.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out JournalRecord? record, out int length)
    {
        (record, length) = (null, 0);
        if (bytes.Length < HeaderSize || !bytes.StartsWith(Marker)) return false;
        var size = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if (size is < 1 or > MaxPayload || size > bytes.Length - HeaderSize) return false;
        var payload = bytes.Slice(HeaderSize, size);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Checksum(bytes[4..8], payload)) return false;
        record = Parse(payload);
        length = HeaderSize + size;
        return record is not null;
    }

    /// <summary>Where the next frame may begin, from the second byte on; -1 when nowhere.</summary>
    public static int NextMarker(ReadOnlySpan<byte> bytes)
    {
        var at = bytes.Length > 1 ? bytes[1..].IndexOf(Marker) : -1;
        return at < 0 ? -1 : at + 1;
    }

    private static uint Checksum(ReadOnlySpan<byte> length, ReadOnlySpan<byte> payload)
    {
        var crc = new Crc32();
        crc.Append(length);
        crc.Append(payload);
        return crc.GetCurrentHashAsUInt32();
    }

    private static byte[] Payload(JournalRecord record)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(Kind(record));
        writer.Write(record.Sequence);
        writer.Write(record.Path);
        switch (record)
        {
            case Closed closed:
                Write(writer, closed.File);
                break;
            case UploadBegun begun:
                writer.Write(begun.UploadId);
                writer.Write(begun.PartSize);
                break;
            case UploadEnded ended:
                writer.Write(ended.UploadId);
                break;
            case PartStored part:
                writer.Write(part.UploadId);
                writer.Write(part.Number);
                writer.Write(part.ETag);
                writer.Write(part.Crc32);
                break;
            case Completed completed:
                Write(writer, completed.File);
                writer.Write(completed.ETag);
                writer.Write(completed.Crc32);
                break;
            case CheckpointFinished finished:
                writer.Write(finished.IsBroken);
                break;
            case CheckpointPublished published:
                writer.Write(published.IsGone);
                break;
            case Removed { IsForeign: true }:
                writer.Write(true);
                break;
            case Diverted diverted:
                writer.Write(diverted.Key);
                break;
            case Settled settled:
                writer.Write(settled.IsGone);
                break;
        }

        writer.Flush();
        if (bytes.Length > MaxPayload) throw new ArgumentException($"a record of {bytes.Length} bytes is too long for the journal", nameof(record));
        return bytes.ToArray();
    }

    private static byte Kind(JournalRecord record) => record switch
    {
        Closed => 1,
        UploadBegun => 2,
        PartStored => 3,
        Completed => 4,
        Removed => 5,
        Settled => 6,
        Evicted => 7,
        CheckpointFinished => 8,
        CheckpointPublished => 9,
        SequenceGiven => 10,
        UploadEnded => 11,
        Diverted => 12,
        _ => throw new ArgumentOutOfRangeException(nameof(record), record.GetType().Name, "the journal has no such record"),
    };

    // Null for a record of a kind that this version does not know: it is skipped as damage is.
    private static JournalRecord? Parse(ReadOnlySpan<byte> payload)
    {
        using var reader = new BinaryReader(new MemoryStream(payload.ToArray()), Encoding.UTF8);
        try
        {
            var (kind, sequence, path) = (reader.ReadByte(), reader.ReadInt64(), reader.ReadString());
            return kind switch
            {
                1 => new Closed(sequence, path, ReadFingerprint(reader)),
                2 => new UploadBegun(sequence, path, reader.ReadString(), reader.ReadInt64()),
                3 => new PartStored(sequence, path, reader.ReadString(), reader.ReadInt32(), reader.ReadString(), reader.ReadUInt32()),
                4 => new Completed(sequence, path, ReadFingerprint(reader), reader.ReadString(), reader.ReadUInt32()),
                5 => new Removed(sequence, path, reader.BaseStream.Position < reader.BaseStream.Length && reader.ReadBoolean()),
                6 => new Settled(sequence, path, reader.ReadBoolean()),
                7 => new Evicted(sequence, path),
                8 => new CheckpointFinished(sequence, path, reader.ReadBoolean()),
                9 => new CheckpointPublished(sequence, path, reader.ReadBoolean()),
                10 => new SequenceGiven(sequence),
                11 => new UploadEnded(sequence, path, reader.ReadString()),
                12 => new Diverted(sequence, path, reader.ReadString()),
                _ => null,
            };
        }
        catch (Exception error) when (error is EndOfStreamException or FormatException or IOException)
        {
            return null;
        }
    }

    private static void Write(BinaryWriter writer, Fingerprint file)
    {
        writer.Write(file.Inode);
        writer.Write(file.Size);
        writer.Write(file.ModifiedNs);
        writer.Write(file.ChangedNs);
        writer.Write(file.Racy);
    }

    private static Fingerprint ReadFingerprint(BinaryReader reader) =>
        new(reader.ReadUInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadBoolean());
}
