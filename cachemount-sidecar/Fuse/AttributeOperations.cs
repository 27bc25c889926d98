using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>Requests about what an entry is like.</summary>
internal sealed class AttributeOperations(FuseTree tree)
{
    private const string User = "user.";
    /// <summary>Whoever runs it gets the rights of its owner or group.</summary>
    public const int SetIdBits = 0xC00;
    private const int LongestName = 255;

    public int Get(in FuseRequest request, FuseReply reply)
    {
        var given = request.Read<Wire.GetAttributesIn>();
        var node = tree.Nodes[request.Header.Node];
        if ((given.Flags & 1) != 0 && tree.Files.TryGetValue(given.Handle, out var handle) && handle.Content is null)
        {
            if (FuseTree.Look(handle.Descriptor, out var open) is not 0 and var error) return error;
            Add(open, reply);
            return 0;
        }

        return Get(node, reply);
    }

    public int Set(in FuseRequest request, FuseReply reply)
    {
        var given = request.Read<Wire.SetAttributesIn>();
        var node = tree.Nodes[request.Header.Node];
        return tree.Run(request.Header, reply, needsRoom: false, answer => Set(node, given, answer));
    }

    public unsafe int StatFileSystem(FuseReply reply)
    {
        Posix.FileSystemStat stat;
        if (Posix.Result(Posix.StatFileSystem(tree.Root, &stat)) is not 0 and var error) return error;
        ref var to = ref reply.Add<Wire.StatFileSystemOut>();
        (to.Blocks, to.Free, to.Available, to.Files, to.FreeFiles) = (stat.Blocks, stat.Free, stat.Available, stat.Files, stat.FreeFiles);
        (to.BlockSize, to.FragmentSize, to.LongestName) = ((uint)stat.BlockSize, (uint)stat.FragmentSize, LongestName);
        return 0;
    }

    public unsafe int GetExtended(in FuseRequest request, FuseReply reply)
    {
        var size = request.Read<Wire.GetExtendedIn>().Size;
        var (node, name) = (tree.Nodes[request.Header.Node], ExtendedName(request, 8));
        if (!name.StartsWith(User, StringComparison.Ordinal)) return Errno.NotSupported;
        if (IsStoredOnly(node)) return Errno.NoData;
        if (tree.Reach(node, out var reached) is not 0 and var error) return error;
        using (reached) return Extended(size, reply, Posix.GetAttribute(reached.Path, name, reply.End, Math.Min(size, (nuint)reply.Room)));
    }

    public unsafe int ListExtended(in FuseRequest request, FuseReply reply)
    {
        var size = request.Read<Wire.GetExtendedIn>().Size;
        var node = tree.Nodes[request.Header.Node];
        if (IsStoredOnly(node)) return Extended(size, reply, 0);
        if (tree.Reach(node, out var reached) is not 0 and var error) return error;
        using (reached)
        {
            var length = Posix.ListAttributes(reached.Path, reply.End, (nuint)reply.Room);
            if (length < 0) return Posix.Error;
            // Only what can be asked for is named.
            var names = new Span<byte>(reply.End, (int)length);
            var kept = 0;
            while (names.Length > 0)
            {
                var end = names.IndexOf((byte)0) + 1;
                if (names.StartsWith("user."u8))
                {
                    names[..end].CopyTo(new Span<byte>(reply.End + kept, end));
                    kept += end;
                }

                names = names[end..];
            }

            return size != 0 && kept > size ? Errno.Range : Extended(size, reply, kept);
        }
    }

    public unsafe int SetExtended(in FuseRequest request, FuseReply reply)
    {
        var given = request.Read<Wire.SetExtendedIn>();
        var node = tree.Nodes[request.Header.Node];
        var at = 8;
        var name = request.Text(ref at, LongestName);
        var value = request.After<Wire.SetExtendedIn>(at - 8 + (int)Math.Min(given.Size, 1 << 16))[(at - 8)..].ToArray();
        if (!name.StartsWith(User, StringComparison.Ordinal)) return Errno.NotSupported;
        return tree.Run(request.Header, reply, needsRoom: false, _ =>
        {
            if (tree.Reach(node, out var reached) is not 0 and var error) return error;
            using (reached)
            {
                fixed (byte* from = value) return Posix.Result(Posix.SetAttribute(reached.Path, name, from, (nuint)value.Length, (int)given.Flags));
            }
        });
    }

    public int RemoveExtended(in FuseRequest request)
    {
        var (node, name) = (tree.Nodes[request.Header.Node], ExtendedName(request, 0));
        if (!name.StartsWith(User, StringComparison.Ordinal)) return Errno.NotSupported;
        if (IsStoredOnly(node)) return Errno.NoData;
        if (tree.Reach(node, out var reached) is not 0 and var error) return error;
        using (reached) return Posix.Result(Posix.RemoveAttribute(reached.Path, name));
    }

    /// <summary>Who writes to a program or changes its owner takes its special rights away.</summary>
    public static void KillPrivileges(int descriptor)
    {
        if (FuseTree.Look(descriptor, out var stat) == 0 && (stat.Mode & SetIdBits) != 0 && stat.Type == Statx.TypeFile) _ = Posix.SetMode(Posix.PathOf(descriptor), (uint)(stat.Mode & 0xFFF & ~SetIdBits));
    }

    private int Get(Node node, FuseReply reply)
    {
        if (IsStoredOnly(node) && tree.Nodes.PathOf(node) is { } path && tree.Stored[path] is { } entry)
        {
            ref var to = ref reply.Add<Wire.AttributesOut>();
            to.Valid = 1;
            tree.Fill(ref to.Attributes, entry, node);
            return 0;
        }

        try
        {
            if (tree.Reach(node, out var reached) is not 0 and var missing) return OfOpenContent(node, reply) ? 0 : missing;
            using (reached)
            {
                if (FuseTree.Look(reached.Descriptor, out var stat) is not 0 and var error) return error;
                Add(stat, reply);
                return 0;
            }
        }
        catch (ContentNeededException)
        {
            // Its local copy was given up between two looks; its attributes are the same.
            return tree.Nodes.PathOf(node) is { } given && tree.Stored[given] is { } stored && AddStored(node, stored, reply) ? 0 : Errno.Stale;
        }
    }

    private bool OfOpenContent(Node node, FuseReply reply)
    {
        lock (node.Gate) return node.Handles.Find(handle => handle.Content is not null)?.Content is { } content && AddStored(node, content.Entry, reply);
    }

    private bool AddStored(Node node, StoreEntry entry, FuseReply reply)
    {
        ref var to = ref reply.Add<Wire.AttributesOut>();
        tree.Fill(ref to.Attributes, entry, node);
        return true;
    }

    private int Set(Node node, in Wire.SetAttributesIn given, FuseReply reply)
    {
        var valid = (Wire.SetFlags)given.Valid;
        if (tree.Reach(node, out var reached) is not 0 and var missing) return missing;
        using (reached)
        {
            var error = SetOwnerAndMode(reached, given, valid);
            if (error == 0 && valid.HasFlag(Wire.SetFlags.Size)) error = SetSize(reached, given, valid);
            if (error == 0 && (valid & (Wire.SetFlags.Accessed | Wire.SetFlags.Modified)) != Wire.SetFlags.None) error = SetTimes(reached, given, valid);
            if (error != 0 || (error = FuseTree.Look(reached.Descriptor, out var stat)) != 0) return error;
            Add(stat, reply);
        }

        // Whoever has it open for writing will close it, and then it is looked at.
        if ((valid & (Wire.SetFlags.Size | Wire.SetFlags.Modified)) != Wire.SetFlags.None && !node.IsDirectory && node.Writers == 0) tree.Tell(TreeChange.Closed, tree.Nodes.PathOf(node));
        return 0;
    }

    private static int SetOwnerAndMode(Reached reached, in Wire.SetAttributesIn given, Wire.SetFlags valid)
    {
        var (user, group) = (valid.HasFlag(Wire.SetFlags.User) ? given.User : uint.MaxValue, valid.HasFlag(Wire.SetFlags.Group) ? given.Group : uint.MaxValue);
        if ((user != uint.MaxValue || group != uint.MaxValue) && Posix.Result(Posix.SetOwner(reached.Descriptor, "", user, group, Posix.EmptyPath)) is not 0 and var error) return error;
        if (valid.HasFlag(Wire.SetFlags.KillPrivileges)) KillPrivileges(reached.Descriptor);
        return valid.HasFlag(Wire.SetFlags.Mode) ? Posix.Result(Posix.SetMode(reached.Path, given.Mode & 0xFFF)) : 0;
    }

    private int SetSize(Reached reached, in Wire.SetAttributesIn given, Wire.SetFlags valid)
    {
        if (given.Size > long.MaxValue) return Errno.Invalid;
        if (valid.HasFlag(Wire.SetFlags.Handle) && tree.Files.TryGetValue(given.Handle, out var handle) && handle is { Writes: true, Content: null }) return Posix.Result(Posix.SetLength(handle.Descriptor, (long)given.Size));
        var descriptor = Posix.Open(Posix.Here, reached.Path, Posix.WriteOnly | Posix.NonBlocking | Posix.CloseOnExec, 0);
        if (descriptor < 0) return Posix.Error;
        var error = Posix.Result(Posix.SetLength(descriptor, (long)given.Size));
        _ = Posix.Close(descriptor);
        return error;
    }

    private static unsafe int SetTimes(Reached reached, in Wire.SetAttributesIn given, Wire.SetFlags valid)
    {
        var times = stackalloc Posix.Timespec[2];
        times[0] = Time(valid, Wire.SetFlags.Accessed, Wire.SetFlags.AccessedNow, given.Accessed, given.AccessedNs);
        times[1] = Time(valid, Wire.SetFlags.Modified, Wire.SetFlags.ModifiedNow, given.Modified, given.ModifiedNs);
        return Posix.Result(Posix.SetTimes(Posix.Here, reached.Path, times, 0));

        static Posix.Timespec Time(Wire.SetFlags valid, Wire.SetFlags wanted, Wire.SetFlags now, ulong seconds, uint nanoseconds) =>
            (valid & wanted) == Wire.SetFlags.None ? new(0, Posix.TimeOmitted) : (valid & now) != Wire.SetFlags.None ? new(0, Posix.TimeNow) : new((long)seconds, nanoseconds);
    }

    private static void Add(in Statx stat, FuseReply reply)
    {
        ref var to = ref reply.Add<Wire.AttributesOut>();
        to.Valid = FuseTree.AttributesHold;
        FuseTree.Fill(ref to.Attributes, stat);
    }

    private static int Extended(uint size, FuseReply reply, nint length)
    {
        if (length < 0) return Posix.Error;
        if (size == 0) reply.Add<Wire.GetExtendedOut>().Size = (uint)length;
        else reply.Grow((int)length);
        return 0;
    }

    private static string ExtendedName(in FuseRequest request, int at) => request.Text(ref at, LongestName);

    private static bool IsStoredOnly(Node node) => node.IsStoredOnly && !node.IsDirectory;
}
