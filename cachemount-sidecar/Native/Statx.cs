using System.Runtime.InteropServices;

namespace Trestle.CacheMount.Native;

/// <summary>What statx(2) says of an entry.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct Statx
{
    [FieldOffset(0)] public uint Mask;
    [FieldOffset(4)] public uint BlockSize;
    [FieldOffset(16)] public uint Links;
    [FieldOffset(20)] public uint User;
    [FieldOffset(24)] public uint Group;
    [FieldOffset(28)] public ushort Mode;
    [FieldOffset(32)] public ulong Inode;
    [FieldOffset(40)] public ulong Size;
    [FieldOffset(48)] public ulong Blocks;
    [FieldOffset(64)] public Timestamp Accessed;
    [FieldOffset(80)] public Timestamp Born;
    [FieldOffset(96)] public Timestamp Changed;
    [FieldOffset(112)] public Timestamp Modified;

    public const int TypeMask = 0xF000;
    public const int TypeDirectory = 0x4000;
    public const int TypeFile = 0x8000;
    public const int TypeLink = 0xA000;
    public const int TypePipe = 0x1000;
    public const int TypeSocket = 0xC000;

    /// <summary>One of the Type… values.</summary>
    public readonly int Type => Mode & TypeMask;

    /// <summary>A time of a file.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Timestamp
    {
        public long Seconds;
        public uint Nanoseconds;
        private readonly int _reserved;

        /// <summary>Nanoseconds since 1970.</summary>
        public readonly long Total => (Seconds * 1_000_000_000) + Nanoseconds;
    }
}
