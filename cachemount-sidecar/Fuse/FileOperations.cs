using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>Requests about open files.</summary>
internal sealed class FileOperations(FuseTree tree)
{
    private const uint KillPrivileges = 1;
    private const uint WriteKillsPrivileges = 1 << 2;
    private const uint NoFlush = 1 << 5;
    private const int SeekData = 3;
    private const int SeekHole = 4;

    // The kernel gives every write its place, and buffers of ours are not aligned.
    private const int Kept = Posix.AccessMask | Posix.Truncate | Posix.NonBlocking;

    public int Open(in FuseRequest request, FuseReply reply)
    {
        var given = request.Read<Wire.OpenIn>();
        var node = tree.Nodes[request.Header.Node];
        return tree.Run(request.Header, reply, IsWriting((int)given.Flags), answer => Open(node, (int)given.Flags, (given.OpenFlags & KillPrivileges) != 0, answer));
    }

    public int Create(in FuseRequest request, FuseReply reply)
    {
        var (given, header) = (request.Read<Wire.CreateIn>(), request.Header);
        var (parent, name) = (tree.Nodes[header.Node], request.NameAfter<Wire.CreateIn>());
        return tree.Run(header, reply, needsRoom: true, answer => Create(parent, name, header, given, answer));
    }

    public int Temporary(in FuseRequest request, FuseReply reply)
    {
        var (given, header) = (request.Read<Wire.CreateIn>(), request.Header);
        var parent = tree.Nodes[header.Node];
        return tree.Run(header, reply, needsRoom: true, answer =>
        {
            var descriptor = Posix.Open(parent.Directory, ".", ((int)given.Flags & Kept) | Posix.Temporary | Posix.CloseOnExec | ((int)given.Flags & Posix.Exclusive), given.Mode & 0xFFF);
            if (descriptor < 0) return Posix.Error;
            if (Posix.User() == 0) _ = Posix.SetOwner(descriptor, "", header.User, header.Group, Posix.EmptyPath);
            if ((given.Mode & tree.Mask) != 0) _ = Posix.SetMode(descriptor, given.Mode & 0xFFF);
            if (FuseTree.Look(descriptor, out var stat) is not 0 and var error) return Closed(descriptor, error);
            var node = tree.Nodes.EnterUnnamed(NodeKey.Of(stat));
            FuseTree.AddEntry(node, stat, answer);
            Add(node, descriptor, (int)given.Flags, content: null, answer);
            return 0;
        });
    }

    public int Read(in FuseRequest request, FuseReply reply)
    {
        var given = request.Read<Wire.ReadIn>();
        var handle = tree.File(given.Handle);
        var (offset, size) = ((long)given.Offset, (int)Math.Min(given.Size, (uint)FuseReply.Most));
        if (offset < 0) return Errno.Invalid;
        if (handle.Content is not { } content || offset >= content.Entry.Size || content.Has(offset, Math.Min(size, content.Entry.Size - offset))) return Read(handle, offset, size, reply);
        return tree.Late.Run(request.Header, reply.Device, async (answer, ct) =>
        {
            await content.WaitAsync(offset, Math.Min(size, content.Entry.Size - offset), ct);
            return Read(handle, offset, size, answer);
        });
    }

    public int Write(in FuseRequest request, FuseReply reply)
    {
        var given = request.Read<Wire.WriteIn>();
        var handle = tree.File(given.Handle);
        var bytes = request.After<Wire.WriteIn>((int)Math.Min(given.Size, int.MaxValue));
        if (!handle.Writes || given.Offset > long.MaxValue) return Errno.BadDescriptor;
        if ((given.WriteFlags & WriteKillsPrivileges) != 0) AttributeOperations.KillPrivileges(handle.Descriptor);
        if (!tree.Gate.MustWait)
        {
            var error = Write(handle, bytes, (long)given.Offset, reply);
            if (error != Errno.NoSpace || !tree.Gate.MayHelp) return error;
        }

        var copy = bytes.ToArray();
        return tree.Run(request.Header, reply, needsRoom: true, answer => Write(handle, copy, (long)given.Offset, answer));
    }

    public int Flush(in FuseRequest request, FuseReply reply)
    {
        var handle = tree.File(request.Read<Wire.FlushIn>().Handle);
        if (!handle.Writes || tree.StoreNow is not { } storeNow) return 0;
        var node = handle.Node;
        return tree.Late.Run(request.Header, reply.Device, async (_, ct) =>
        {
            if (tree.Nodes.PathOf(node) is { } path) await storeNow(path, ct);
            return 0;
        });
    }

    public int Sync(in FuseRequest request)
    {
        var given = request.Read<Wire.SyncIn>();
        var handle = tree.File(given.Handle);
        return Posix.Result((given.Flags & 1) != 0 ? Posix.SyncData(handle.Descriptor) : Posix.Sync(handle.Descriptor));
    }

    /// <summary>The last of those who share a handle has closed it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="turn">Its place among the events.</param>
    public int Release(in FuseRequest request, long turn)
    {
        FuseEvent[] told = [];
        try
        {
            if (!tree.Files.TryRemove(request.Read<Wire.ReleaseIn>().Handle, out var handle)) return Errno.BadDescriptor;
            Close(handle);
            if (handle.Writes && tree.Nodes.PathOf(handle.Node) is { } path) told = [new FuseEvent(TreeChange.Closed, path)];
            return 0;
        }
        finally
        {
            tree.Events.Tell(turn, told);
        }
    }

    public int Allocate(in FuseRequest request, FuseReply reply)
    {
        var given = request.Read<Wire.AllocateIn>();
        var handle = tree.File(given.Handle);
        return tree.Run(request.Header, reply, needsRoom: true, _ => Posix.Result(Posix.Allocate(handle.Descriptor, (int)given.Mode, (long)given.Offset, (long)given.Length)));
    }

    public int Seek(in FuseRequest request, FuseReply reply)
    {
        var given = request.Read<Wire.SeekIn>();
        var handle = tree.File(given.Handle);
        if (given.Whence is not (SeekData or SeekHole)) return Errno.Invalid;
        long found;
        if (handle.Content is { } content) found = (long)given.Offset >= content.Entry.Size ? -1 : given.Whence == SeekData ? (long)given.Offset : content.Entry.Size;
        else if ((found = Posix.Seek(handle.Descriptor, (long)given.Offset, (int)given.Whence)) < 0) return Posix.Error;
        if (found < 0) return 6; // ENXIO
        reply.Add<Wire.SeekOut>().Offset = (ulong)found;
        return 0;
    }

    public unsafe int CopyRange(in FuseRequest request, FuseReply reply)
    {
        var given = request.Read<Wire.CopyRangeIn>();
        var (from, to) = (tree.File(given.Handle), tree.File(given.HandleTo));
        // The kernel then copies by reading and writing.
        if (from.Content is not null || tree.Gate.MustWait) return Errno.NotSupported;
        var (offset, offsetTo) = ((long)given.Offset, (long)given.OffsetTo);
        var copied = Posix.CopyRange(from.Descriptor, &offset, to.Descriptor, &offsetTo, (nuint)Math.Min(given.Length, 1UL << 30), 0);
        if (copied < 0) return Posix.Error;
        tree.Gate.Wrote(copied);
        reply.Add<Wire.WriteOut>().Size = (uint)copied;
        return 0;
    }

    /// <summary>Closes what is still open when all ends.</summary>
    public void CloseAll()
    {
        foreach (var handle in tree.Files.Keys)
        {
            if (tree.Files.TryRemove(handle, out var open)) Close(open);
        }
    }

    private int Open(Node node, int flags, bool killsPrivileges, FuseReply reply)
    {
        var access = flags & Posix.AccessMask;
        for (var tries = 0; tries < 3; tries++)
        {
            if (tree.Nodes.NameOf(node) is not { } place) break;
            var descriptor = Posix.Open(place.Parent.Directory, place.Name, (flags & Kept) | Posix.NoFollow | Posix.CloseOnExec, 0);
            if (descriptor >= 0)
            {
                if (killsPrivileges) AttributeOperations.KillPrivileges(descriptor);
                Add(node, descriptor, flags, content: null, reply);
                return 0;
            }

            if (Posix.Error != Errno.NotFound) return Posix.Error;
            if (tree.Nodes.PathOf(node) is not { } path || tree.Stored[path] is null) continue; // it is being renamed
            if (access != Posix.ReadOnly) throw new ContentNeededException(path);
            if (tree.Contents.Open(path) is not { } content) continue;
            Add(node, content.Descriptor, flags, content, reply);
            return 0;
        }

        return Reopen(node, flags, reply);
    }

    // A file that has no name any more, by /proc/self/fd.
    private int Reopen(Node node, int flags, FuseReply reply)
    {
        if (tree.Reach(node, out var reached) is not 0 and var error) return error;
        using (reached)
        {
            var descriptor = Posix.Open(Posix.Here, reached.Path, (flags & Kept) | Posix.CloseOnExec, 0);
            if (descriptor < 0) return Posix.Error;
            Add(node, descriptor, flags, content: null, reply);
            return 0;
        }
    }

    private int Create(Node parent, string name, in Wire.InHeader header, in Wire.CreateIn given, FuseReply reply)
    {
        var flags = (int)given.Flags;
        var path = tree.Nodes.PathOf(parent, name);
        if (path is not null && tree.Stored[path] is not null)
        {
            if ((flags & Posix.Exclusive) != 0) return Errno.Exists;
            if ((flags & Posix.Truncate) == 0) throw new ContentNeededException(path);
        }

        var kept = (flags & Kept) | Posix.NoFollow | Posix.CloseOnExec;
        var descriptor = Posix.Open(parent.Directory, name, kept | Posix.Create | Posix.Exclusive, given.Mode & 0xFFF);
        if (descriptor >= 0) tree.Own(parent, name, header, given.Mode);
        else if (Posix.Error == Errno.Exists && (flags & Posix.Exclusive) == 0) descriptor = Posix.Open(parent.Directory, name, kept, 0);
        if (descriptor < 0) return Posix.Error;
        if (path is not null) tree.Stored.Remove(path);
        if (FuseTree.Look(descriptor, out var stat) is not 0 and var error) return Closed(descriptor, error);
        var node = tree.Nodes.Enter(parent, name, NodeKey.Of(stat));
        FuseTree.AddEntry(node, stat, reply);
        Add(node, descriptor, flags, content: null, reply);
        return 0;
    }

    private void Add(Node node, int descriptor, int flags, LazyFile? content, FuseReply reply)
    {
        var handle = new FileHandle(node, descriptor, IsWriting(flags), content);
        ref var answer = ref reply.Add<Wire.OpenOut>();
        var how = Wire.OpenFlags.None;
        lock (node.Gate)
        {
            if (node.Served == ServedBy.Nobody) Decide(node, handle);
            node.Handles.Add(handle);
            if (handle.Writes) node.Writers++;
            if (node.Served == ServedBy.Kernel) (how, answer.BackingId) = (Wire.OpenFlags.Passthrough, node.BackingId);
            else if (!node.WasServedByKernel && content is null) how = Wire.OpenFlags.KeepCache;
        }

        answer.Handle = tree.NextHandle();
        answer.OpenFlags = (uint)how | (handle.Writes && tree.StoreNow is not null ? 0 : NoFlush);
        tree.Files[answer.Handle] = handle;
    }

    // All who have a file open must be served alike. What the kernel writes can't be held back, so it writes only while there is plenty of room.
    private void Decide(Node node, FileHandle handle)
    {
        node.Served = ServedBy.Us;
        if (tree.NoPassthrough is not null || handle.Content is not null || !tree.Gate.HasPlenty) return;
        // The kernel would write with our rights, and so not take those of a program away.
        if (handle.Writes && (FuseTree.Look(handle.Descriptor, out var stat) != 0 || (stat.Mode & AttributeOperations.SetIdBits) != 0)) return;
        // A descriptor that may write would count as a writer for as long as anybody has the file open.
        var readable = handle.Writes ? Posix.Open(Posix.Here, Posix.PathOf(handle.Descriptor), Posix.ReadOnly | Posix.CloseOnExec, 0) : handle.Descriptor;
        if (readable < 0) return;
        var id = tree.Device.OpenBacking(readable);
        if (readable != handle.Descriptor) _ = Posix.Close(readable);
        if (id > 0) (node.Served, node.BackingId, node.WasServedByKernel) = (ServedBy.Kernel, id, true);
        else if (id == -Errno.NotPermitted) tree.NoPassthrough = "the kernel lets only CAP_SYS_ADMIN of the whole machine do it";
    }

    private void Close(FileHandle handle)
    {
        var node = handle.Node;
        if (handle.Writes && node.Served == ServedBy.Kernel && FuseTree.Look(handle.Descriptor, out var stat) == 0) tree.Gate.Wrote((long)stat.Blocks * 512);
        var backing = 0;
        lock (node.Gate)
        {
            node.Handles.Remove(handle);
            if (node.Handles.Count == 0) (backing, node.BackingId, node.Served) = (node.BackingId, 0, ServedBy.Nobody);
        }

        if (backing > 0) tree.Device.CloseBacking(backing);
        if (handle.Content is { } content) _ = tree.Contents.CloseAsync(tree.Nodes.PathOf(node), content);
        else _ = Posix.Close(handle.Descriptor);
        if (!handle.Writes) return;
        lock (node.Gate) node.Writers--; // when its descriptor is closed, or it would still be seen as a writer's
    }

    private static unsafe int Read(FileHandle handle, long offset, int size, FuseReply reply)
    {
        var length = Posix.Read(handle.Descriptor, reply.End, size, offset);
        if (length < 0) return Posix.Error;
        reply.Grow((int)length);
        return 0;
    }

    private unsafe int Write(FileHandle handle, ReadOnlySpan<byte> bytes, long offset, FuseReply reply)
    {
        nint written;
        fixed (byte* from = bytes) written = Posix.Write(handle.Descriptor, from, bytes.Length, offset);
        if (written < 0) return Posix.Error;
        tree.Gate.Wrote(written);
        reply.Add<Wire.WriteOut>().Size = (uint)written;
        return 0;
    }

    private static int Closed(int descriptor, int error)
    {
        _ = Posix.Close(descriptor);
        return error;
    }

    private static bool IsWriting(int flags) => (flags & Posix.AccessMask) != Posix.ReadOnly;
}
