using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;

namespace Trestle.CacheMount.Native;

/// <summary>
/// System calls on plain descriptors, for the file system that we serve. Each gives what the call gives; the error is in
/// <see cref="Marshal.GetLastPInvokeError"/>. The numbers of flags are those of x86-64.
/// </summary>
internal static unsafe partial class Posix
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int AccessMask = 3;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int Truncate = 0x200;
    public const int Append = 0x400;
    public const int NonBlocking = 0x800;
    public const int Direct = 0x4000;
    public const int Directory = 0x10000;
    public const int NoFollow = 0x20000;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;
    public const int Temporary = 0x400000 | Directory;
    public const int Here = -100;
    public const int NoFollowAt = 0x100;
    public const int RemoveDirectory = 0x200;
    public const int FollowAt = 0x400;
    public const int EmptyPath = 0x1000;
    public const uint NoReplace = 1;
    public const uint Exchange = 2;
    public const int DetachMount = 2;
    public const uint AllStats = 0xfff;
    public const long TimeOmitted = 0x3ffffffe;
    public const long TimeNow = 0x3fffffff;

    /// <summary>The error of the last call; a negative result only.</summary>
    public static int Error => Marshal.GetLastPInvokeError();

    /// <summary>0, or the error.</summary>
    public static int Result(long result) => result < 0 ? Error : 0;

    /// <summary>A descriptor as a path, which leads to the same file whatever has become of its name.</summary>
    public static string PathOf(int descriptor) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/self/fd/{descriptor}");

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    public static partial int Open(int directory, [MarshalUsing(typeof(PathMarshaller))] string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int file, byte* to, nint count);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static partial nint Read(int file, byte* to, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint Write(int file, byte* from, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int file, byte* from, nint count);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Control(int file, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(int file);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int SyncData(int file);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int SetLength(int file, long length);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    public static partial int Allocate(int file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(int file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "copy_file_range", SetLastError = true)]
    public static partial nint CopyRange(int from, long* fromOffset, int to, long* toOffset, nuint count, uint flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    public static partial int Stat(int directory, [MarshalUsing(typeof(PathMarshaller))] string path, int flags, uint mask, Statx* to);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true)]
    public static partial int MakeDirectory(int directory, [MarshalUsing(typeof(PathMarshaller))] string path, uint mode);

    [LibraryImport("libc", EntryPoint = "mknodat", SetLastError = true)]
    public static partial int MakeNode(int directory, [MarshalUsing(typeof(PathMarshaller))] string path, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int Unlink(int directory, [MarshalUsing(typeof(PathMarshaller))] string path, int flags);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true)]
    public static partial int Rename(int fromDirectory, [MarshalUsing(typeof(PathMarshaller))] string from, int toDirectory, [MarshalUsing(typeof(PathMarshaller))] string to, uint flags);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true)]
    public static partial int Link(int fromDirectory, [MarshalUsing(typeof(PathMarshaller))] string from, int toDirectory, [MarshalUsing(typeof(PathMarshaller))] string to, int flags);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true)]
    public static partial int MakeLink([MarshalUsing(typeof(PathMarshaller))] string target, int directory, [MarshalUsing(typeof(PathMarshaller))] string path);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    public static partial nint ReadLink(int directory, [MarshalUsing(typeof(PathMarshaller))] string path, byte* to, nuint size);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true)]
    public static partial int SetMode([MarshalUsing(typeof(PathMarshaller))] string path, uint mode);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    public static partial int SetMode(int file, uint mode);

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true)]
    public static partial int SetOwner(int directory, [MarshalUsing(typeof(PathMarshaller))] string path, uint user, uint group, int flags);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true)]
    public static partial int SetTimes(int directory, [MarshalUsing(typeof(PathMarshaller))] string path, Timespec* times, int flags);

    [LibraryImport("libc", EntryPoint = "fstatvfs", SetLastError = true)]
    public static partial int StatFileSystem(int file, FileSystemStat* to);

    [LibraryImport("libc", EntryPoint = "setxattr", SetLastError = true)]
    public static partial int SetAttribute([MarshalUsing(typeof(PathMarshaller))] string path, [MarshalUsing(typeof(PathMarshaller))] string name, byte* value, nuint size, int flags);

    [LibraryImport("libc", EntryPoint = "getxattr", SetLastError = true)]
    public static partial nint GetAttribute([MarshalUsing(typeof(PathMarshaller))] string path, [MarshalUsing(typeof(PathMarshaller))] string name, byte* value, nuint size);

    [LibraryImport("libc", EntryPoint = "listxattr", SetLastError = true)]
    public static partial nint ListAttributes([MarshalUsing(typeof(PathMarshaller))] string path, byte* to, nuint size);

    [LibraryImport("libc", EntryPoint = "removexattr", SetLastError = true)]
    public static partial int RemoveAttribute([MarshalUsing(typeof(PathMarshaller))] string path, [MarshalUsing(typeof(PathMarshaller))] string name);

    [LibraryImport("libc", EntryPoint = "getdents64", SetLastError = true)]
    public static partial nint ReadDirectory(int directory, byte* to, nuint size);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(string source, string target, string type, nuint flags, string options);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint User();

    [LibraryImport("libc", EntryPoint = "getegid")]
    public static partial uint Group();

    /// <summary>A time as utimensat(2) takes it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public record struct Timespec(long Seconds, long Nanoseconds);

    /// <summary>What statvfs(3) gives.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FileSystemStat
    {
        public ulong BlockSize;
        public ulong FragmentSize;
        public ulong Blocks;
        public ulong Free;
        public ulong Available;
        public ulong Files;
        public ulong FreeFiles;
        public ulong AvailableFiles;
        public ulong Id;
        public ulong Flags;
        public ulong LongestName;
        private fixed int _spare[8];
    }
}
