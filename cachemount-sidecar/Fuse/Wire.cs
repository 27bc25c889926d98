using System.Runtime.InteropServices;

// Fields that only the kernel reads or writes.
#pragma warning disable CS0649, CS0169

namespace Trestle.CacheMount.Fuse;

/// <summary>The kernel's structures of FUSE protocol 7.45, as linux/fuse.h lays them out.</summary>
internal static class Wire
{
    public const uint Major = 7;
    public const uint Minor = 45;

    /// <summary>Bytes of a structure as it is sent, where the kernel's may be shorter or longer than ours.</summary>
    public const int InitShortest = 16;

    public struct InHeader
    {
        public uint Length;
        public FuseOpcode Opcode;
        public ulong Unique;
        public ulong Node;
        public uint User;
        public uint Group;
        public uint Process;
        public ushort ExtensionLength;
        private readonly ushort _padding;
    }

    public struct OutHeader
    {
        public uint Length;
        public int Error;
        public ulong Unique;
    }

    public struct Attributes
    {
        public ulong Inode;
        public ulong Size;
        public ulong Blocks;
        public ulong Accessed;
        public ulong Modified;
        public ulong Changed;
        public uint AccessedNs;
        public uint ModifiedNs;
        public uint ChangedNs;
        public uint Mode;
        public uint Links;
        public uint User;
        public uint Group;
        public uint Device;
        public uint BlockSize;
        public uint Flags;
    }

    public struct EntryOut
    {
        public ulong Node;
        public ulong Generation;
        public ulong EntryValid;
        public ulong AttributesValid;
        public uint EntryValidNs;
        public uint AttributesValidNs;
        public Attributes Attributes;
    }

    public struct AttributesOut
    {
        public ulong Valid;
        public uint ValidNs;
        private readonly uint _padding;
        public Attributes Attributes;
    }

    public struct InitIn
    {
        public uint Major;
        public uint Minor;
        public uint MaxReadAhead;
        public uint Flags;
    }

    [StructLayout(LayoutKind.Sequential, Size = 64)]
    public struct InitOut
    {
        public uint Major;
        public uint Minor;
        public uint MaxReadAhead;
        public uint Flags;
        public ushort MaxBackground;
        public ushort CongestionThreshold;
        public uint MaxWrite;
        public uint TimeGranularity;
        public ushort MaxPages;
        public ushort MapAlignment;
        public uint Flags2;
        public uint MaxStackDepth;
    }

    public struct ForgetIn
    {
        public ulong Lookups;
    }

    public struct BatchForgetIn
    {
        public uint Count;
        private readonly uint _padding;
    }

    public struct ForgetOne
    {
        public ulong Node;
        public ulong Lookups;
    }

    public struct GetAttributesIn
    {
        public uint Flags;
        private readonly uint _padding;
        public ulong Handle;
    }

    public struct SetAttributesIn
    {
        public uint Valid;
        private readonly uint _padding;
        public ulong Handle;
        public ulong Size;
        public ulong LockOwner;
        public ulong Accessed;
        public ulong Modified;
        public ulong Changed;
        public uint AccessedNs;
        public uint ModifiedNs;
        public uint ChangedNs;
        public uint Mode;
        private readonly uint _unused4;
        public uint User;
        public uint Group;
        private readonly uint _unused5;
    }

    public struct MakeNodeIn
    {
        public uint Mode;
        public uint Device;
        public uint Mask;
        private readonly uint _padding;
    }

    public struct MakeDirectoryIn
    {
        public uint Mode;
        public uint Mask;
    }

    public struct RenameIn
    {
        public ulong NewParent;
    }

    public struct Rename2In
    {
        public ulong NewParent;
        public uint Flags;
        private readonly uint _padding;
    }

    public struct LinkIn
    {
        public ulong OldNode;
    }

    public struct OpenIn
    {
        public uint Flags;
        public uint OpenFlags;
    }

    public struct CreateIn
    {
        public uint Flags;
        public uint Mode;
        public uint Mask;
        public uint OpenFlags;
    }

    public struct OpenOut
    {
        public ulong Handle;
        public uint OpenFlags;
        public int BackingId;
    }

    public struct ReadIn
    {
        public ulong Handle;
        public ulong Offset;
        public uint Size;
        public uint ReadFlags;
        public ulong LockOwner;
        public uint Flags;
        private readonly uint _padding;
    }

    public struct WriteIn
    {
        public ulong Handle;
        public ulong Offset;
        public uint Size;
        public uint WriteFlags;
        public ulong LockOwner;
        public uint Flags;
        private readonly uint _padding;
    }

    public struct WriteOut
    {
        public uint Size;
        private readonly uint _padding;
    }

    public struct ReleaseIn
    {
        public ulong Handle;
        public uint Flags;
        public uint ReleaseFlags;
        public ulong LockOwner;
    }

    public struct FlushIn
    {
        public ulong Handle;
        private readonly uint _unused;
        private readonly uint _padding;
        public ulong LockOwner;
    }

    public struct SyncIn
    {
        public ulong Handle;
        public uint Flags;
        private readonly uint _padding;
    }

    [StructLayout(LayoutKind.Sequential, Size = 80)]
    public struct StatFileSystemOut
    {
        public ulong Blocks;
        public ulong Free;
        public ulong Available;
        public ulong Files;
        public ulong FreeFiles;
        public uint BlockSize;
        public uint LongestName;
        public uint FragmentSize;
    }

    public struct SetExtendedIn
    {
        public uint Size;
        public uint Flags;
    }

    public struct GetExtendedIn
    {
        public uint Size;
        private readonly uint _padding;
    }

    public struct GetExtendedOut
    {
        public uint Size;
        private readonly uint _padding;
    }

    public struct InterruptIn
    {
        public ulong Unique;
    }

    public struct AllocateIn
    {
        public ulong Handle;
        public ulong Offset;
        public ulong Length;
        public uint Mode;
        private readonly uint _padding;
    }

    public struct SeekIn
    {
        public ulong Handle;
        public ulong Offset;
        public uint Whence;
        private readonly uint _padding;
    }

    public struct SeekOut
    {
        public ulong Offset;
    }

    public struct CopyRangeIn
    {
        public ulong Handle;
        public ulong Offset;
        public ulong NodeTo;
        public ulong HandleTo;
        public ulong OffsetTo;
        public ulong Length;
        public ulong Flags;
    }

    public struct DirectoryEntry
    {
        public ulong Inode;
        public ulong Next;
        public uint NameLength;
        public uint Type;
    }

    public struct NotifyRetrieveOut
    {
        public ulong NotifyUnique;
        public ulong Node;
        public ulong Offset;
        public uint Size;
        private readonly uint _padding;
    }

    public struct BackingMap
    {
        public int Descriptor;
        public uint Flags;
        public ulong Padding;
    }

    /// <summary>What is agreed on at the start.</summary>
    [Flags]
    public enum InitFlags : ulong
    {
        None = 0,
        AsyncRead = 1UL << 0,
        AtomicTruncate = 1UL << 3,
        BigWrites = 1UL << 5,
        ReadDirectoryPlus = 1UL << 13,
        ReadDirectoryPlusAuto = 1UL << 14,
        AsyncDirect = 1UL << 15,
        ParallelDirectories = 1UL << 18,
        MaxPages = 1UL << 22,
        CacheLinks = 1UL << 23,
        KillPrivileges = 1UL << 28,
        Extended = 1UL << 30,
        DirectMaps = 1UL << 36,
        Passthrough = 1UL << 37,
    }

    /// <summary>Which attributes are to be set.</summary>
    [Flags]
    public enum SetFlags : uint
    {
        None = 0,
        Mode = 1 << 0,
        User = 1 << 1,
        Group = 1 << 2,
        Size = 1 << 3,
        Accessed = 1 << 4,
        Modified = 1 << 5,
        Handle = 1 << 6,
        AccessedNow = 1 << 7,
        ModifiedNow = 1 << 8,
        KillPrivileges = 1 << 11,
    }

    /// <summary>How an open file is served.</summary>
    [Flags]
    public enum OpenFlags : uint
    {
        None = 0,
        KeepCache = 1 << 1,
        CacheDirectory = 1 << 3,
        Passthrough = 1 << 7,
    }
}
