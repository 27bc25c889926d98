using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>A descriptor of /dev/fuse: requests come out, answers go in.</summary>
internal sealed unsafe class FuseDevice : IDisposable
{
    private const nuint CloneCall = 0x8004E500;
    private const nuint BackingOpenCall = 0x4010E501;
    private const nuint BackingCloseCall = 0x4004E502;
    private readonly bool _isClone;

    private FuseDevice(int descriptor, bool isClone) => (Descriptor, _isClone) = (descriptor, isClone);

    public int Descriptor { get; }

    /// <summary>Opens the device.</summary>
    /// <exception cref="IOException">It is not there, or not for us.</exception>
    public static FuseDevice Open()
    {
        var descriptor = Posix.Open(Posix.Here, "/dev/fuse", Posix.ReadWrite | Posix.CloseOnExec, 0);
        return descriptor >= 0 ? new FuseDevice(descriptor, isClone: false) : throw new IOException(Posix.Error switch
        {
            Errno.NotFound => "this machine has no /dev/fuse",
            var error => $"/dev/fuse can't be opened (error {error})",
        });
    }

    /// <summary>Another descriptor of the same connection; this one when the kernel gives none.</summary>
    public FuseDevice Clone()
    {
        var descriptor = Posix.Open(Posix.Here, "/dev/fuse", Posix.ReadWrite | Posix.CloseOnExec, 0);
        var main = (uint)Descriptor;
        if (descriptor >= 0 && Posix.Control(descriptor, CloneCall, &main) == 0) return new FuseDevice(descriptor, isClone: false);
        if (descriptor >= 0) _ = Posix.Close(descriptor);
        return new FuseDevice(Descriptor, isClone: true);
    }

    /// <summary>Waits for a request; null when the connection has ended.</summary>
    public int? Read(byte* to, int size)
    {
        while (true)
        {
            var length = Posix.Read(Descriptor, to, size);
            if (length >= 0) return (int)length;
            if (Posix.Error is not (Errno.Interrupted or Errno.Again or Errno.NotFound)) return null; // a request that was interrupted before it was read is not found
        }
    }

    /// <summary>Sends an answer. Whoever asked may have gone; then nobody wants it.</summary>
    public void Answer(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* from = bytes) _ = Posix.Write(Descriptor, from, bytes.Length);
    }

    /// <summary>Has the kernel send a request of this number behind all that it has sent before.</summary>
    /// <param name="unique">The number.</param>
    /// <param name="node">A file that the kernel knows.</param>
    /// <returns>0, or the error: it does not know the file, or is not there any more.</returns>
    public int SendBack(ulong unique, ulong node)
    {
        const int retrieve = 5; // FUSE_NOTIFY_RETRIEVE: it brings what it has cached of a file, here nothing
        var size = sizeof(Wire.OutHeader) + sizeof(Wire.NotifyRetrieveOut);
        var bytes = stackalloc byte[size];
        *(Wire.OutHeader*)bytes = new Wire.OutHeader { Length = (uint)size, Error = retrieve };
        *(Wire.NotifyRetrieveOut*)(bytes + sizeof(Wire.OutHeader)) = new Wire.NotifyRetrieveOut { NotifyUnique = unique, Node = node };
        return Posix.Result(Posix.Write(Descriptor, bytes, size));
    }

    /// <summary>Lets the kernel read and write a file by itself.</summary>
    /// <returns>Its number; minus the error when it can't be.</returns>
    public int OpenBacking(int file)
    {
        var map = new Wire.BackingMap { Descriptor = file };
        var id = Posix.Control(Descriptor, BackingOpenCall, &map);
        return id > 0 ? id : -Posix.Error;
    }

    /// <summary>The kernel needs the file no more, but for those who have it open.</summary>
    public void CloseBacking(int id)
    {
        var given = (uint)id;
        _ = Posix.Control(Descriptor, BackingCloseCall, &given);
    }

    public void Dispose()
    {
        if (!_isClone) _ = Posix.Close(Descriptor);
    }
}
