using System.Buffers;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;

namespace Trestle.CacheMount.Stores;

/// <summary>
/// Bytes to send: of memory, or a range of a file that is read in small pieces, so that a part takes no memory of its size. What is
/// sent is held to the checksum: a range that changed in between fails instead of being stored mixed.
/// </summary>
internal sealed class ObjectBody
{
    /// <summary>Bytes read at once.</summary>
    public const int PieceSize = 256 << 10;

    private readonly ReadOnlyMemory<byte> _memory;
    private readonly SafeFileHandle? _file;
    private readonly long _offset;

    private ObjectBody(ReadOnlyMemory<byte> memory, SafeFileHandle? file, long offset, long length, uint crc32) =>
        (_memory, _file, _offset, Length, Crc32) = (memory, file, offset, length, crc32);

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>CRC-32 of the bytes.</summary>
    public uint Crc32 { get; }

    /// <summary>Bytes of memory.</summary>
    public static ObjectBody Of(ReadOnlyMemory<byte> bytes) => new(bytes, null, 0, bytes.Length, System.IO.Hashing.Crc32.HashToUInt32(bytes.Span));

    /// <summary>A range of a file; reads it once for its checksum.</summary>
    /// <exception cref="EndOfStreamException">The file is shorter.</exception>
    public static ObjectBody Of(SafeFileHandle file, long offset, long length, CancellationToken ct)
    {
        var crc = new Crc32();
        var piece = ArrayPool<byte>.Shared.Rent(PieceSize);
        try
        {
            for (var done = 0L; done < length;)
            {
                ct.ThrowIfCancellationRequested();
                var read = Read(file, piece, offset + done, length - done);
                crc.Append(piece.AsSpan(0, read));
                done += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        return new ObjectBody(default, file, offset, length, crc.GetCurrentHashAsUInt32());
    }

    /// <summary>Writes all of it.</summary>
    /// <exception cref="StoreException">Corrupt: the file is no longer what the checksum was made of.</exception>
    public async Task CopyToAsync(Stream to, CancellationToken ct)
    {
        if (_file is null)
        {
            await to.WriteAsync(_memory, ct);
            return;
        }

        var crc = new Crc32();
        var piece = ArrayPool<byte>.Shared.Rent(PieceSize);
        try
        {
            for (var done = 0L; done < Length;)
            {
                var read = Read(_file, piece, _offset + done, Length - done);
                crc.Append(piece.AsSpan(0, read));
                done += read;
                // The last piece is held back until the whole is known to be right: without it nothing is stored.
                if (done == Length && crc.GetCurrentHashAsUInt32() != Crc32) throw new StoreException(StoreProblem.Corrupt, "the file changed while it was sent");
                await to.WriteAsync(piece.AsMemory(0, read), ct);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private static int Read(SafeFileHandle file, byte[] piece, long offset, long most)
    {
        var read = RandomAccess.Read(file, piece.AsSpan(0, (int)Math.Min(PieceSize, most)), offset);
        return read > 0 ? read : throw new EndOfStreamException("the file became shorter while it was read");
    }
}
