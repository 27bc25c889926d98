using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>Requests about names: looking up, making, renaming, removing.</summary>
internal sealed class NameOperations(FuseTree tree)
{
    private const int LongestTarget = 4096;

    public int Lookup(in FuseRequest request, FuseReply reply)
    {
        var at = 0;
        return Lookup(tree.Nodes[request.Header.Node], request.Name(ref at), reply);
    }

    /// <summary>Adds an entry of the cache, or else of the store.</summary>
    public int Lookup(Node parent, string name, FuseReply reply)
    {
        var error = tree.AddEntry(parent, name, reply);
        if (error != Errno.NotFound || tree.Nodes.PathOf(parent, name) is not { } path || tree.Stored[path] is not { } entry) return error;
        // It may have come back while we looked.
        if ((error = tree.AddEntry(parent, name, reply)) != Errno.NotFound) return error;
        tree.AddEntry(tree.Nodes.Enter(parent, name, key: null), entry, reply);
        return 0;
    }

    public int MakeNode(in FuseRequest request, FuseReply reply)
    {
        var given = request.Read<Wire.MakeNodeIn>();
        var (parent, name, header) = (tree.Nodes[request.Header.Node], request.NameAfter<Wire.MakeNodeIn>(), request.Header);
        var type = (int)given.Mode & Statx.TypeMask;
        if (type is not (0 or Statx.TypeFile or Statx.TypePipe or Statx.TypeSocket)) return Errno.NotPermitted;
        return tree.Run(header, reply, needsRoom: true, answer =>
        {
            if (IsInStore(parent, name)) return Errno.Exists;
            if (Posix.Result(Posix.MakeNode(parent.Directory, name, given.Mode, 0)) is not 0 and var error) return error;
            tree.Own(parent, name, header, given.Mode);
            tree.Tell(TreeChange.Appeared, tree.Nodes.PathOf(parent, name));
            return tree.AddEntry(parent, name, answer);
        });
    }

    public int MakeDirectory(in FuseRequest request, FuseReply reply)
    {
        var mode = request.Read<Wire.MakeDirectoryIn>().Mode;
        var (parent, name) = (tree.Nodes[request.Header.Node], request.NameAfter<Wire.MakeDirectoryIn>());
        if (IsInStore(parent, name)) return Errno.Exists;
        if (Posix.Result(Posix.MakeDirectory(parent.Directory, name, mode)) is not 0 and var error) return error;
        tree.Own(parent, name, request.Header, mode);
        return tree.AddEntry(parent, name, reply);
    }

    public int SymbolicLink(in FuseRequest request, FuseReply reply)
    {
        var at = 0;
        var (parent, name) = (tree.Nodes[request.Header.Node], request.Name(ref at));
        var target = request.Text(ref at, LongestTarget);
        if (IsInStore(parent, name)) return Errno.Exists;
        if (Posix.Result(Posix.MakeLink(target, parent.Directory, name)) is not 0 and var error) return error;
        tree.Own(parent, name, request.Header, 0);
        tree.Tell(TreeChange.Appeared, tree.Nodes.PathOf(parent, name));
        return tree.AddEntry(parent, name, reply);
    }

    public unsafe int ReadLink(in FuseRequest request, FuseReply reply)
    {
        if (tree.Nodes.NameOf(tree.Nodes[request.Header.Node]) is not { } place) return Errno.Stale;
        var length = Posix.ReadLink(place.Parent.Directory, place.Name, reply.End, LongestTarget);
        if (length < 0) return Posix.Error;
        reply.Grow((int)length);
        return 0;
    }

    public int Link(in FuseRequest request, FuseReply reply)
    {
        var node = tree.Nodes[request.Read<Wire.LinkIn>().OldNode];
        var (parent, name) = (tree.Nodes[request.Header.Node], request.NameAfter<Wire.LinkIn>());
        return tree.Run(request.Header, reply, needsRoom: false, answer =>
        {
            if (IsInStore(parent, name)) return Errno.Exists;
            if (tree.Reach(node, out var reached) is not 0 and var missing) return missing;
            using (reached)
            {
                if (Posix.Result(Posix.Link(Posix.Here, reached.Path, parent.Directory, name, Posix.FollowAt)) is not 0 and var error) return error;
            }

            tree.Tell(TreeChange.Appeared, tree.Nodes.PathOf(parent, name));
            return tree.AddEntry(parent, name, answer);
        });
    }

    public int Unlink(in FuseRequest request)
    {
        var at = 0;
        var (parent, name) = (tree.Nodes[request.Header.Node], request.Name(ref at));
        var path = tree.Nodes.PathOf(parent, name);
        var error = Posix.Result(Posix.Unlink(parent.Directory, name, 0));
        var wasStored = path is not null && error is 0 or Errno.NotFound && tree.Stored.Remove(path);
        if (error != 0 && !wasStored) return error;
        tree.Nodes.Remove(parent, name);
        tree.Tell(wasStored ? TreeChange.Forgotten : TreeChange.Removed, path);
        return 0;
    }

    public int RemoveDirectory(in FuseRequest request)
    {
        var at = 0;
        var (parent, name) = (tree.Nodes[request.Header.Node], request.Name(ref at));
        if (tree.Nodes.PathOf(parent, name) is { } path && tree.Stored.Below(path).Count > 0) return Errno.NotEmpty;
        if (Posix.Result(Posix.Unlink(parent.Directory, name, Posix.RemoveDirectory)) is not 0 and var error) return error;
        tree.Nodes.Remove(parent, name);
        return 0;
    }

    public int Rename(in FuseRequest request, FuseReply reply)
    {
        var isSecond = request.Header.Opcode == FuseOpcode.Rename2;
        var flags = isSecond ? request.Read<Wire.Rename2In>().Flags : 0;
        if ((flags & ~(Posix.NoReplace | Posix.Exchange)) != 0) return Errno.Invalid;
        var (parent, newParent) = (tree.Nodes[request.Header.Node], tree.Nodes[request.Read<Wire.RenameIn>().NewParent]);
        var at = isSecond ? 16 : 8;
        var (name, newName) = (request.Name(ref at), request.Name(ref at));
        return tree.Run(request.Header, reply, needsRoom: false, _ => Rename(parent, name, newParent, newName, flags));
    }

    private int Rename(Node parent, string name, Node newParent, string newName, uint flags)
    {
        var (from, to) = (tree.Nodes.PathOf(parent, name), tree.Nodes.PathOf(newParent, newName));
        if (from is null || to is null) return Errno.NotFound;
        var isExchange = (flags & Posix.Exchange) != 0;
        BringBack(parent, name, from);
        if (isExchange) BringBack(newParent, newName, to);
        else if (tree.Stored[to] is not null && (flags & Posix.NoReplace) != 0) return Errno.Exists;
        else if (tree.Stored.Below(to).Count > 0) return Errno.NotEmpty;
        if (Posix.Result(Posix.Rename(parent.Directory, name, newParent.Directory, newName, flags)) is not 0 and var error) return error;
        tree.Nodes.Rename(parent, name, newParent, newName, isExchange);
        tree.Stored.Remove(to);
        tree.Stored.Remove(from);
        List<FuseEvent> events = [.. Arrived(newParent, newName, to)];
        if (isExchange) events.AddRange(Arrived(parent, name, from));
        tree.Events.Tell([.. events, new FuseEvent(TreeChange.MovedAway, from)]);
        return 0;
    }

    // The store knows objects and no directories: whatever gets another name is sent anew, and so has to be here.
    private void BringBack(Node parent, string name, string path)
    {
        if (tree.Stored[path] is not null && FuseTree.Look(parent, name, out _) == Errno.NotFound) throw new ContentNeededException(path);
        if (tree.Stored.Below(path) is { Count: > 0 } below) throw new ContentNeededException(below);
    }

    private static IEnumerable<FuseEvent> Arrived(Node parent, string name, string path)
    {
        if (FuseTree.Look(parent, name, out var stat) != 0) return [];
        return stat.Type == Statx.TypeDirectory ? [new FuseEvent(TreeChange.TreeMoved, path)] : [new FuseEvent(TreeChange.Closed, path)];
    }

    private bool IsInStore(Node parent, string name) => tree.Nodes.PathOf(parent, name) is { } path && tree.Stored[path] is not null;
}
