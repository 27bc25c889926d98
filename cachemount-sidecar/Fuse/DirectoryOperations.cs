using System.Runtime.CompilerServices;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>Requests about directories that are read.</summary>
internal sealed class DirectoryOperations(FuseTree tree, NameOperations names)
{
    private const byte FileType = 8;
    private const int LongestName = 255 * 3;

    public int Open(in FuseRequest request, FuseReply reply)
    {
        var node = tree.Nodes[request.Header.Node];
        if (!node.IsDirectory) return 20; // ENOTDIR
        ref var answer = ref reply.Add<Wire.OpenOut>();
        answer.Handle = tree.NextHandle();
        tree.Directories[answer.Handle] = new DirectoryHandle(node);
        return 0;
    }

    public int Read(in FuseRequest request, FuseReply reply)
    {
        var given = request.Read<Wire.ReadIn>();
        var handle = Find(given.Handle);
        var isPlus = request.Header.Opcode == FuseOpcode.ReadDirectoryPlus;
        lock (handle)
        {
            if (given.Offset == 0 || handle.Names is null)
            {
                if (List(handle.Node, out var listed) is not 0 and var error) return error;
                handle.Names = listed;
            }

            var room = (int)Math.Min(given.Size, (uint)FuseReply.Most);
            for (var at = (int)Math.Min(given.Offset, (ulong)handle.Names.Count); at < handle.Names.Count; at++)
            {
                if (!TryAdd(handle.Node, handle.Names[at], at + 1, room, isPlus, reply)) break;
            }
        }

        return 0;
    }

    public int Release(in FuseRequest request) => tree.Directories.TryRemove(request.Read<Wire.ReleaseIn>().Handle, out _) ? 0 : Errno.BadDescriptor;

    public int Sync(in FuseRequest request)
    {
        var handle = Find(request.Read<Wire.SyncIn>().Handle);
        var descriptor = Posix.Open(handle.Node.Directory, ".", Posix.ReadOnly | Posix.Directory | Posix.CloseOnExec, 0);
        if (descriptor < 0) return Posix.Error;
        var error = Posix.Result(Posix.Sync(descriptor));
        _ = Posix.Close(descriptor);
        return error;
    }

    private DirectoryHandle Find(ulong handle) => tree.Directories.GetValueOrDefault(handle) ?? throw new BadRequestException($"there is no open directory {handle}");

    // What only the store has stands behind what is here.
    private int List(Node node, out List<ListedName> listed)
    {
        listed = [];
        // First the store's: a file that comes back or goes meanwhile is named once at least, and below not twice.
        var stored = tree.Nodes.PathOf(node) is { } path ? tree.Stored.In(path) : [];
        if (DirectoryHandle.Read(node, listed) is not 0 and var error) return error;
        if (stored.Count == 0) return 0;
        var here = listed.Select(name => name.Name).ToHashSet(StringComparer.Ordinal);
        listed.AddRange(stored.Where(name => !here.Contains(name)).Select(name => new ListedName(name, 0, FileType)));
        return 0;
    }

    private bool TryAdd(Node directory, ListedName name, int next, int room, bool isPlus, FuseReply reply)
    {
        Span<byte> bytes = stackalloc byte[LongestName];
        bytes = bytes[..FileName.Encode(name.Name, bytes)];
        var size = (Unsafe.SizeOf<Wire.DirectoryEntry>() + bytes.Length + 7) & ~7;
        if (reply.Length + size + (isPlus ? Unsafe.SizeOf<Wire.EntryOut>() : 0) > room) return false;
        var begin = reply.Length;
        if (isPlus && (name.Name is "." or ".." || names.Lookup(directory, name.Name, reply) != 0))
        {
            reply.Clear(begin);
            reply.Add<Wire.EntryOut>(); // no node: the kernel looks for itself
        }

        ref var entry = ref reply.Add<Wire.DirectoryEntry>();
        (entry.Inode, entry.Next, entry.NameLength, entry.Type) = (name.Inode == 0 ? ulong.MaxValue : name.Inode, (ulong)next, (uint)bytes.Length, name.Type);
        reply.Add(bytes);
        Span<byte> padding = stackalloc byte[8];
        padding.Clear();
        reply.Add(padding[..(size - Unsafe.SizeOf<Wire.DirectoryEntry>() - bytes.Length)]);
        return true;
    }
}
