using System.Runtime.InteropServices;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>A place where our file system is mounted.</summary>
internal sealed class FuseMountPoint : IDisposable
{
    private const string Kind = "fuse.trestle";
    private const nuint NoSetUserIdNoDevices = 6; // MS_NOSUID | MS_NODEV
    private bool _isMounted = true;

    private FuseMountPoint(string path, FuseDevice device) => (Path, Device) = (path, device);

    public string Path { get; }

    public FuseDevice Device { get; }

    /// <summary>Mounts. Until its requests are answered, whoever looks there waits.</summary>
    /// <exception cref="IOException">It can't be mounted; the message says what to do.</exception>
    public static FuseMountPoint Mount(string path)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64) throw new IOException("the FUSE front is made for x86-64 only");
        var device = FuseDevice.Open();
        try
        {
            var everybody = Posix.User() == 0 ? ",allow_other" : "";
            var options = $"fd={device.Descriptor},rootmode=40000,user_id={Posix.User()},group_id={Posix.Group()},default_permissions{everybody}";
            if (Posix.Mount("trestle", path, Kind, NoSetUserIdNoDevices, options) == 0) return new FuseMountPoint(path, device);
            throw new IOException(Posix.Error switch
            {
                Errno.NotPermitted => $"{path} can't be mounted without CAP_SYS_ADMIN (of this user namespace)",
                Errno.NotFound => $"{path} is not there to mount at",
                var error => $"{path} can't be mounted (error {error})",
            });
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>Takes away what a process that was killed has left: a mount that nobody answers.</summary>
    /// <returns>True: there was one.</returns>
    public static bool CleanUp(string path)
    {
        var found = false;
        for (var layer = 0; layer < 16 && IsDead(path) && Posix.Unmount(path, Posix.DetachMount) == 0; layer++) found = true;
        return found;
    }

    /// <summary>Unmounts; when somebody still has something open, as soon as he has not.</summary>
    public void Unmount()
    {
        if (!_isMounted) return;
        _isMounted = false;
        if (Posix.Unmount(Path, 0) != 0) _ = Posix.Unmount(Path, Posix.DetachMount);
    }

    public void Dispose()
    {
        Unmount();
        Device.Dispose();
    }

    private static unsafe bool IsDead(string path)
    {
        Statx stat;
        return Posix.Stat(Posix.Here, path, 0, Posix.AllStats, &stat) != 0 && Posix.Error == Errno.NotConnected;
    }
}
