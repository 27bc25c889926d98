using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Directories;

/// <summary>What inotify(7) says.</summary>
[Flags]
internal enum InotifyMask : uint
{
    None = 0,
    CloseWrite = 0x8,
    MovedFrom = 0x40,
    MovedTo = 0x80,
    Create = 0x100,
    Delete = 0x200,
    Overflow = 0x4000,
    Ignored = 0x8000,
    OnlyDirectory = 0x0100_0000,
    DoNotFollow = 0x0200_0000,
    IsDirectory = 0x4000_0000,
}

/// <summary>Something happened to an entry of a watched directory.</summary>
internal readonly record struct InotifyEvent(int Watch, InotifyMask Mask, string Name);

/// <summary>A queue of inotify(7).</summary>
internal sealed class Inotify : IDisposable
{
    private const InotifyMask Wanted = InotifyMask.CloseWrite | InotifyMask.MovedFrom | InotifyMask.MovedTo | InotifyMask.Create | InotifyMask.Delete | InotifyMask.OnlyDirectory | InotifyMask.DoNotFollow;
    private readonly SafeFileHandle _queue;
    private readonly byte[] _buffer = new byte[1 << 20];

    /// <exception cref="IOException">This user has too many queues.</exception>
    public Inotify()
    {
        var descriptor = Libc.InotifyInit(0x80000 | 0x800); // IN_CLOEXEC | IN_NONBLOCK
        if (descriptor < 0) throw new IOException($"no inotify queue is to be had (error {Marshal.GetLastPInvokeError()}); raise fs.inotify.max_user_instances");
        _queue = new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Watches a directory; null when it is gone. The same directory always gets the same number.</summary>
    /// <exception cref="IOException">The limit of watches is reached.</exception>
    public int? Add(string path)
    {
        var watch = Libc.InotifyAdd(_queue, path, (uint)Wanted);
        if (watch >= 0) return watch;
        var error = Marshal.GetLastPInvokeError();
        return error == 28 ? throw new IOException("the limit of inotify watches is reached; raise fs.inotify.max_user_watches") : null; // ENOSPC
    }

    /// <summary>Watches a directory no more.</summary>
    public void Remove(int watch) => _ = Libc.InotifyRemove(_queue, watch);

    /// <summary>Waits until there is something, or for so long.</summary>
    public unsafe bool Wait(int milliseconds)
    {
        var entry = new PollEntry { Descriptor = (int)_queue.DangerousGetHandle(), Wanted = 1 };
        return Libc.Poll(&entry, 1, milliseconds) > 0;
    }

    /// <summary>What there is now; empty when nothing.</summary>
    public unsafe List<InotifyEvent> Read()
    {
        nint length;
        fixed (byte* at = _buffer) length = Libc.Read(_queue, at, _buffer.Length);
        var events = new List<InotifyEvent>();
        for (var offset = 0; offset < length;)
        {
            var entry = _buffer.AsSpan(offset);
            var size = (int)BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]);
            var name = entry.Slice(16, size);
            var end = name.IndexOf((byte)0);
            events.Add(new InotifyEvent(BinaryPrimitives.ReadInt32LittleEndian(entry), (InotifyMask)BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]), Encoding.UTF8.GetString(end < 0 ? name : name[..end])));
            offset += 16 + size;
        }

        return events;
    }

    public void Dispose() => _queue.Dispose();
}
