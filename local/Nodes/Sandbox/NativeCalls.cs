using System.Runtime.InteropServices;

namespace Trestle.Local.Nodes.Sandbox;

/// <summary>The few system calls .NET has no name for.</summary>
internal static partial class NativeCalls
{
    public const int Term = 15;
    public const int Kill = 9;
    private const int PunchHole = 0x03; // FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE

    /// <summary>Sends a signal; false when there is no such process or it is not ours.</summary>
    public static bool Signal(int pid, int signal) => pid > 1 && SendSignal(pid, signal) == 0;

    /// <summary>Gives back the disk space of a range already read, keeping the file's offsets.</summary>
    public static void FreeRange(SafeHandle file, long offset, long length) => _ = Allocate(file, PunchHole, offset, length);

    /// <summary>rename(2): replaces the target at once, links themselves and not what they lead to.</summary>
    public static void Rename(string from, string to)
    {
        if (MoveEntry(from, to) != 0) throw new IOException($"could not rename {from} to {to} (error {Marshal.GetLastPInvokeError()})");
    }

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MoveEntry(string from, string to);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Allocate(SafeHandle file, int mode, long offset, long length);
}
