using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Directories;

/// <summary>Whether anybody can still write to a file.</summary>
internal enum GateAnswer
{
    /// <summary>Nobody has it open for writing.</summary>
    Free,

    /// <summary>Somebody has.</summary>
    Busy,

    /// <summary>The file system or our rights don't let us know.</summary>
    Unknown,

    /// <summary>It is not there, or is no file.</summary>
    Gone,
}

/// <summary>Asks the kernel, with a lease that is given back at once, who has a file open.</summary>
internal static class FileGate
{
    private const int SetLease = 1024;
    private const int GetLease = 1025;
    private const int ReadLease = 0;
    private const int WriteLease = 1;
    private const int NoLease = 2;

    /// <summary>Whether it is open for writing, and what it is like while it is not.</summary>
    public static (GateAnswer Answer, Entry Entry) Look(string path)
    {
        try
        {
            if (Libc.Stat(path) is not { Kind: EntryKind.File } named) return (GateAnswer.Gone, default);
            using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            var lease = Take(file, ReadLease);
            var entry = Libc.Stat(file);
            if (lease == GateAnswer.Free) _ = Libc.Control(file, SetLease, NoLease);
            return entry.File.Inode == named.File.Inode ? (lease, entry) : (GateAnswer.Busy, entry);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return (GateAnswer.Gone, default);
        }
        catch (UnauthorizedAccessException)
        {
            return (GateAnswer.Unknown, Libc.Stat(path) ?? default);
        }
    }

    /// <summary>
    /// Removes a file that nobody has open and that is as described; false when it was left as it was. It is moved aside first, so that
    /// whoever opens it at this moment either keeps us from it or does not find it.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="expected">What it must be like.</param>
    /// <param name="aside">A free place on the same file system.</param>
    public static bool TryRemove(string path, Fingerprint expected, string aside)
    {
        try
        {
            using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            if (Take(file, WriteLease) != GateAnswer.Free || !expected.Proves(Libc.Stat(file).File) || !Libc.TryMove(path, aside)) return false;
            if (Libc.Control(file, GetLease, 0) == WriteLease && expected.Proves(Libc.Stat(file).File))
            {
                File.Delete(aside);
                return true;
            }

            // A new file may stand in its place by now; then this one stays aside and the caller says so.
            if (!Libc.TryMove(aside, path)) throw new IOException($"{path} was replaced while it was looked at; what was there is at {aside}");
            return false;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static GateAnswer Take(SafeFileHandle file, int lease)
    {
        if (Libc.Control(file, SetLease, lease) == 0) return GateAnswer.Free;
        if (Marshal.GetLastPInvokeError() is Libc.NoAccess) return TakeAsOwner(file, lease);
        return Marshal.GetLastPInvokeError() == Libc.Again ? GateAnswer.Busy : GateAnswer.Unknown;
    }

    // A lease is for the owner of the file, or for who has CAP_LEASE, which pods mostly have not. This thread becomes the owner for a moment.
    private static GateAnswer TakeAsOwner(SafeFileHandle file, int lease)
    {
        var before = Libc.SetFileUser(Libc.Stat(file).User);
        try
        {
            if (Libc.Control(file, SetLease, lease) == 0) return GateAnswer.Free;
            return Marshal.GetLastPInvokeError() == Libc.Again ? GateAnswer.Busy : GateAnswer.Unknown;
        }
        finally
        {
            _ = Libc.SetFileUser(before);
        }
    }
}
