using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Trestle.CacheMount.Fuse;

/// <summary>An answer while it is made: room for its header, then what is added.</summary>
/// <param name="device">Where its request came from; the kernel takes the answer nowhere else.</param>
internal sealed unsafe class FuseReply(FuseDevice device) : IDisposable
{
    /// <summary>Most bytes of an answer's body.</summary>
    public const int Most = 1 << 20;

    private static readonly int HeaderSize = Unsafe.SizeOf<Wire.OutHeader>();
    private readonly byte* _bytes = (byte*)NativeMemory.AlignedAlloc((nuint)(Most + 4096), 4096);

    public FuseDevice Device { get; set; } = device;

    /// <summary>Bytes of the body so far.</summary>
    public int Length { get; private set; }

    /// <summary>Where the next byte of the body goes.</summary>
    public byte* End => _bytes + HeaderSize + Length;

    /// <summary>Bytes that still fit.</summary>
    public int Room => Most - Length;

    /// <summary>Forgets what was added.</summary>
    public void Clear(int length = 0) => Length = length;

    /// <summary>Adds a structure, which is all zero.</summary>
    public ref T Add<T>()
        where T : unmanaged
    {
        var at = End;
        Grow(Unsafe.SizeOf<T>());
        new Span<byte>(at, Unsafe.SizeOf<T>()).Clear();
        return ref Unsafe.AsRef<T>(at);
    }

    /// <summary>Adds bytes.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        var at = End;
        Grow(bytes.Length);
        bytes.CopyTo(new Span<byte>(at, bytes.Length));
    }

    /// <summary>So many bytes were written at the end.</summary>
    public void Grow(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)Room, nameof(bytes));
        Length += bytes;
    }

    /// <summary>The whole answer.</summary>
    public ReadOnlySpan<byte> Finish(ulong unique, int error)
    {
        if (error != 0) Length = 0;
        Unsafe.AsRef<Wire.OutHeader>(_bytes) = new Wire.OutHeader { Length = (uint)(HeaderSize + Length), Error = -error, Unique = unique };
        return new ReadOnlySpan<byte>(_bytes, HeaderSize + Length);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_bytes);
        GC.SuppressFinalize(this);
    }
}
