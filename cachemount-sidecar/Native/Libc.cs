using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Trestle.CacheMount.Native;

/// <summary>What kind of thing a path is.</summary>
internal enum EntryKind
{
    File,
    Directory,
    Link,
    Other,
}

/// <summary>A directory entry as statx(2) shows it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="File">Its fingerprint.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="Links">Names it has.</param>
/// <param name="Blocks">512-byte blocks on disk.</param>
/// <param name="AccessedNs">Last read, as exact as the file system keeps it.</param>
/// <param name="User">Owner.</param>
/// <param name="Group">Group.</param>
internal readonly record struct Entry(EntryKind Kind, Fingerprint File, int Mode, uint Links, long Blocks, long AccessedNs, uint User, uint Group);

/// <summary>The system calls .NET has no name for.</summary>
internal static partial class Libc
{
    public const int Again = 11;
    public const int NoAccess = 13;
    private const int AtCurrentDirectory = -100;
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const uint Exchange = 2;
    private const uint NoReplace = 1;
    private const int IoSignal = 29;

    /// <summary>What is at a path, not following a link; null when nothing is.</summary>
    public static Entry? Stat(string path) => Stat(AtCurrentDirectory, path, NoFollow);

    /// <summary>What an open file is.</summary>
    public static Entry Stat(SafeFileHandle file)
    {
        var held = false;
        file.DangerousAddRef(ref held);
        try
        {
            return Stat((int)file.DangerousGetHandle(), "", EmptyPath) ?? throw new IOException("an open file could not be looked at");
        }
        finally
        {
            file.DangerousRelease();
        }
    }

    /// <summary>rename(2): replaces the target at once.</summary>
    public static void Rename(string from, string to) => Check(RenameEntry(from, to), $"could not rename {from} to {to}");

    /// <summary>Moves to a place that must be free; false when it is not.</summary>
    public static bool TryMove(string from, string to) => RenameAt(AtCurrentDirectory, from, AtCurrentDirectory, to, NoReplace) == 0;

    /// <summary>Two entries change places at once.</summary>
    public static void ExchangeEntries(string one, string other) =>
        Check(RenameAt(AtCurrentDirectory, one, AtCurrentDirectory, other, Exchange), $"could not exchange {one} and {other}");

    /// <summary>Makes what was renamed in a directory survive a power loss.</summary>
    public static void SyncDirectory(string path)
    {
        var descriptor = Open(path, 0x10000 | 0x80000); // O_DIRECTORY | O_CLOEXEC
        Check(descriptor, $"could not open {path}");
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Check(Sync(handle), $"could not sync {path}");
    }

    /// <summary>A lease that breaks must not end this process.</summary>
    public static void IgnoreLeaseSignals() => Signal(IoSignal, 1);

    /// <summary>Sends a signal.</summary>
    public static void Kill(int process, int signal) => _ = SendSignal(process, signal);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Control(SafeFileHandle file, int command, int argument);

    /// <summary>Whom this thread is when it comes to files; nothing happens without the right to it.</summary>
    /// <returns>Whom it was.</returns>
    [LibraryImport("libc", EntryPoint = "setfsuid")]
    internal static partial uint SetFileUser(uint user);

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    internal static partial int InotifyInit(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int InotifyAdd(SafeFileHandle queue, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "inotify_rm_watch", SetLastError = true)]
    internal static partial int InotifyRemove(SafeFileHandle queue, int watch);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static unsafe partial nint Read(SafeFileHandle file, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    internal static unsafe partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    private static unsafe Entry? Stat(int directory, string path, int flags)
    {
        Span<byte> buffer = stackalloc byte[256];
        fixed (byte* at = buffer)
        {
            if (StatEntry(directory, path, flags, BasicStats, at) != 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error is 2 or 20 or 36) return null; // ENOENT, ENOTDIR, ENAMETOOLONG
                throw new IOException($"could not look at {path} (error {error})");
            }
        }

        var mode = BinaryPrimitives.ReadUInt16LittleEndian(buffer[28..]);
        var kind = (mode & 0xF000) switch { 0x8000 => EntryKind.File, 0x4000 => EntryKind.Directory, 0xA000 => EntryKind.Link, _ => EntryKind.Other };
        var modified = Nanoseconds(buffer[112..]);
        var file = new Fingerprint(BinaryPrimitives.ReadUInt64LittleEndian(buffer[32..]), BinaryPrimitives.ReadInt64LittleEndian(buffer[40..]), modified, Nanoseconds(buffer[96..]),
            Racy: Math.Abs(ClockNs() - modified) < Fingerprint.TickNs);
        return new Entry(kind, file, mode & 0xFFF, BinaryPrimitives.ReadUInt32LittleEndian(buffer[16..]), BinaryPrimitives.ReadInt64LittleEndian(buffer[48..]), Nanoseconds(buffer[64..]),
            BinaryPrimitives.ReadUInt32LittleEndian(buffer[20..]), BinaryPrimitives.ReadUInt32LittleEndian(buffer[24..]));
    }

    private static long Nanoseconds(ReadOnlySpan<byte> time) => (BinaryPrimitives.ReadInt64LittleEndian(time) * 1_000_000_000) + BinaryPrimitives.ReadUInt32LittleEndian(time[8..]);

    /// <summary>The clock the kernel stamps files with, in nanoseconds since 1970, whatever clock the program was given.</summary>
    public static long ClockNs() => (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    private static void Check(int result, string what)
    {
        if (result < 0) throw new IOException($"{what} (error {Marshal.GetLastPInvokeError()})");
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatEntry(int directory, string path, int flags, uint mask, byte* buffer);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameEntry(string from, string to);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint action);
}

/// <summary>An entry of poll(2).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    public int Descriptor;
    public short Wanted;
    public short Seen;
}
