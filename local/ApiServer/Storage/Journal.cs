using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Trestle.Local.ApiServer;

/// <summary>One change as it is on disk; an empty <see cref="Json"/> is a deletion.</summary>
internal readonly record struct JournalRecord(long Version, string Resource, string Key, ReadOnlyMemory<byte> Json);

/// <summary>
/// An append-only file of frames, one frame a batch: magic, length, CRC-32C, payload. What a crash left half-written at the
/// end is cut off at the next start; damage with valid frames after it refuses to start. A compaction writes the live
/// objects to the next numbered file and renames it into place.
/// </summary>
internal sealed class Journal : IDisposable
{
    private const uint Magic = 0x4c4a5254; // "TRJL"
    private const int HeaderLength = 12;
    private const long CompactAbove = 32L << 20;
    private const int SnapshotFrame = 1 << 20;

    private readonly string _directory;
    private readonly FileStream _guard;
    private readonly Func<string, IJournalFile> _open;
    private IJournalFile _file;
    private int _generation;
    private long _length;
    private long _compactedLength;
    private bool _isTorn;

    private Journal(string directory, FileStream guard, Func<string, IJournalFile> open)
    {
        _directory = directory;
        _guard = guard;
        _open = open;
        _generation = FindNewest(directory);
        _file = open(PathOf(_generation));
    }

    /// <summary>Opens or makes the journal in a directory and keeps a second server out of it.</summary>
    /// <exception cref="IOException">Another server has the directory, or it can't be used.</exception>
    public static Journal Open(string directory, Func<string, IJournalFile>? open = null)
    {
        // Secrets are in it.
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        FileStream guard;
        try
        {
            guard = new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException($"the state directory {directory} is in use by another server; stop it or choose another --state", e);
        }

        return new Journal(directory, guard, open ?? (path => new JournalFile(path)));
    }

    public bool IsLarge => _length > CompactAbove && _length > 2 * _compactedLength;

    /// <summary>Everything that was committed, oldest first. Call once, before the first append.</summary>
    /// <exception cref="InvalidDataException">The file is damaged before its end.</exception>
    public List<JournalRecord> ReadAll()
    {
        var bytes = _file.ReadAll();
        var records = new List<JournalRecord>();
        var position = 0;
        while (position < bytes.Length)
        {
            if (!TryReadFrame(bytes.AsMemory(position), out var payload))
            {
                RefuseWhenFramesFollow(bytes, position);
                _file.Truncate(position);
                break;
            }

            ReadRecords(payload, records);
            position += HeaderLength + payload.Length;
        }

        _length = position;
        return records;
    }

    /// <summary>Writes one batch and waits for the disk. On failure the file is as it was, or is made so before the next batch.</summary>
    /// <exception cref="IOException">The disk is full or broken; nothing was written.</exception>
    public void Append(IEnumerable<JournalRecord> batch)
    {
        var frame = Encode(batch);
        if (_isTorn) CutTornEnd();
        try
        {
            _isTorn = true;
            _file.Append(frame);
            _file.Flush();
            _length += frame.Length;
            _isTorn = false;
        }
        catch (IOException)
        {
            CutTornEnd();
            throw;
        }
    }

    private void CutTornEnd()
    {
        _file.Truncate(_length);
        _isTorn = false;
    }

    /// <summary>Replaces the file by one that holds only the live objects. A failure leaves the old one in use.</summary>
    public void Compact(IEnumerable<JournalRecord> live, long version)
    {
        var next = PathOf(_generation + 1);
        var unfinished = next + ".tmp";
        try
        {
            var (file, length) = WriteSnapshot(unfinished, live, version);
            File.Move(unfinished, next, overwrite: true);
            var old = _file;
            _file = file;
            _generation++;
            _length = _compactedLength = length;
            old.Dispose();
            File.Delete(PathOf(_generation - 1)); // or at the next start
        }
        catch (IOException)
        {
            _compactedLength = _length; // try again when it has doubled
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _guard.Dispose();
    }

    // The file stays open across its renaming, so that nothing can go wrong after that.
    private (IJournalFile File, long Length) WriteSnapshot(string path, IEnumerable<JournalRecord> live, long version)
    {
        File.Delete(path);
        var file = _open(path);
        try
        {
            var length = WriteFrames(file, live, version);
            file.Flush();
            return (file, length);
        }
        catch (IOException)
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }
    }

    private static long WriteFrames(IJournalFile file, IEnumerable<JournalRecord> live, long version)
    {
        long length = 0;
        var batch = new List<JournalRecord> { new(version, "", "", default) }; // keeps the version when its object is gone
        var size = 0;
        foreach (var record in live)
        {
            batch.Add(record);
            size += record.Json.Length;
            if (size < SnapshotFrame) continue;
            length += Write(file, batch);
            batch.Clear();
            size = 0;
        }

        return length + Write(file, batch);
    }

    private static int Write(IJournalFile file, List<JournalRecord> batch)
    {
        var frame = Encode(batch);
        file.Append(frame);
        return frame.Length;
    }

    private string PathOf(int generation) => Path.Combine(_directory, $"{generation:D6}.journal");

    private static int FindNewest(string directory)
    {
        foreach (var unfinished in Directory.GetFiles(directory, "*.tmp")) File.Delete(unfinished);
        var generations = Directory.GetFiles(directory, "*.journal").Select(f => int.Parse(Path.GetFileNameWithoutExtension(f))).Order().ToArray();
        foreach (var old in generations.SkipLast(1)) File.Delete(Path.Combine(directory, $"{old:D6}.journal"));
        return generations.Length == 0 ? 1 : generations[^1];
    }

    private static byte[] Encode(IEnumerable<JournalRecord> batch)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        buffer.Write(new byte[HeaderLength]);
        foreach (var record in batch)
        {
            WriteInt64(buffer, record.Version);
            WriteBytes(buffer, Encoding.UTF8.GetBytes(record.Resource));
            WriteBytes(buffer, Encoding.UTF8.GetBytes(record.Key));
            WriteBytes(buffer, record.Json.Span);
        }

        var frame = buffer.WrittenSpan.ToArray();
        var payload = frame.AsSpan(HeaderLength);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(8), Checksum(payload));
        return frame;
    }

    private static void WriteInt64(ArrayBufferWriter<byte> buffer, long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(buffer.GetSpan(8), value);
        buffer.Advance(8);
    }

    private static void WriteBytes(ArrayBufferWriter<byte> buffer, ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(buffer.GetSpan(4), value.Length);
        buffer.Advance(4);
        buffer.Write(value);
    }

    private static bool TryReadFrame(ReadOnlyMemory<byte> bytes, out ReadOnlyMemory<byte> payload)
    {
        payload = default;
        if (bytes.Length < HeaderLength || BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span) != Magic) return false;
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span[4..]);
        if (length < 0 || length > bytes.Length - HeaderLength) return false;
        payload = bytes.Slice(HeaderLength, length);
        return Checksum(payload.Span) == BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span[8..]);
    }

    private static void ReadRecords(ReadOnlyMemory<byte> payload, List<JournalRecord> records)
    {
        while (payload.Length > 0)
        {
            var version = BinaryPrimitives.ReadInt64LittleEndian(payload.Span);
            payload = payload[8..];
            var resource = Encoding.UTF8.GetString(Take(ref payload).Span);
            var key = Encoding.UTF8.GetString(Take(ref payload).Span);
            records.Add(new JournalRecord(version, resource, key, Take(ref payload)));
        }
    }

    private static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> payload)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(payload.Span);
        var value = payload.Slice(4, length);
        payload = payload[(4 + length)..];
        return value;
    }

    private void RefuseWhenFramesFollow(byte[] bytes, int damagedAt)
    {
        for (var position = damagedAt + 1; position <= bytes.Length - HeaderLength; position++)
        {
            if (TryReadFrame(bytes.AsMemory(position), out _))
                throw new InvalidDataException($"{PathOf(_generation)} is damaged at byte {damagedAt}, with intact changes after it; restore it from a backup or remove the file to start empty");
        }
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
