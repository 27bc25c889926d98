using System.Collections.Concurrent;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>What the operations of the file system share.</summary>
internal sealed class FuseTree(int root, FuseDevice device, StoreTree stored, LazyFiles contents, WriteGate gate, LateAnswers late, EventOrder<FuseEvent> events)
{
    /// <summary>Seconds for which the kernel believes a name or attributes of the cache; those of the store it asks again.</summary>
    public const ulong NamesHold = 10;
    public const ulong AttributesHold = 1;

    private long _lastHandle;

    /// <summary>Descriptor of the cache's directory.</summary>
    public int Root => root;

    public NodeTable Nodes { get; } = new(root, KeyOf(root));

    public ConcurrentDictionary<ulong, FileHandle> Files { get; } = new();

    public ConcurrentDictionary<ulong, DirectoryHandle> Directories { get; } = new();

    /// <summary>Those who wait until everything that the kernel has sent is told.</summary>
    public ConcurrentDictionary<ulong, TaskCompletionSource> Drains { get; } = new();

    public FuseDevice Device => device;

    public StoreTree Stored => stored;

    public LazyFiles Contents => contents;

    public WriteGate Gate => gate;

    public LateAnswers Late => late;

    public EventOrder<FuseEvent> Events => events;

    /// <summary>Why the kernel does not serve files by itself; null when it does.</summary>
    public string? NoPassthrough { get; set; } = "the kernel has not answered yet";

    /// <summary>Why the kernel is not asked to; null when it is.</summary>
    public string? NoPassthroughWanted { get; init; }

    /// <summary>Permission bits that this process may not give when it makes something, and sets afterwards.</summary>
    public uint Mask { get; } = OwnMask();

    /// <summary>A close waits until the store has the file; null: it does not wait.</summary>
    public Func<string, CancellationToken, Task>? StoreNow { get; init; }

    public ulong NextHandle() => (ulong)Interlocked.Increment(ref _lastHandle);

    /// <exception cref="BadRequestException">There is no such handle.</exception>
    public FileHandle File(ulong handle) => Files.GetValueOrDefault(handle) ?? throw new BadRequestException($"there is no open file {handle}");

    /// <summary>Tries at once, and again later when it needs room or content of the store.</summary>
    /// <param name="asked">What the request begins with.</param>
    /// <param name="reply">Where the answer goes.</param>
    /// <param name="needsRoom">Whether a full cache holds it back.</param>
    /// <param name="attempt">Makes the answer; gives 0 or an error.</param>
    public int Run(in Wire.InHeader asked, FuseReply reply, bool needsRoom, Func<FuseReply, int> attempt)
    {
        IReadOnlyList<string> missing = [];
        if (!needsRoom || !gate.MustWait)
        {
            try
            {
                var error = attempt(reply);
                if (error != Errno.NoSpace || !gate.MayHelp) return error;
            }
            catch (ContentNeededException needed)
            {
                missing = needed.Paths;
            }
        }

        return late.Run(asked, reply.Device, (own, ct) => RunLaterAsync(own, needsRoom, missing, attempt, ct));
    }

    /// <summary>What is at a name in the cache.</summary>
    public static unsafe int Look(Node parent, string name, out Statx stat)
    {
        fixed (Statx* at = &stat) return Posix.Result(Posix.Stat(parent.Directory, name, Posix.NoFollowAt, Posix.AllStats, at));
    }

    /// <summary>What an open file is.</summary>
    public static unsafe int Look(int descriptor, out Statx stat)
    {
        fixed (Statx* at = &stat) return Posix.Result(Posix.Stat(descriptor, "", Posix.EmptyPath, Posix.AllStats, at));
    }

    /// <summary>A descriptor that leads to what a node is, whatever becomes of its name.</summary>
    /// <exception cref="ContentNeededException">Only the store has it.</exception>
    public int Reach(Node node, out Reached reached)
    {
        reached = default;
        if (node.IsDirectory)
        {
            reached = new Reached(node.Directory, isOwned: false);
            return 0;
        }

        lock (node.Gate)
        {
            if (node.Handles.Find(handle => handle.Content is null) is { } open)
            {
                reached = new Reached(open.Descriptor, isOwned: false);
                return 0;
            }
        }

        // It may be renamed at this moment; then it is found under its new name.
        for (var tries = 0; tries < 3; tries++)
        {
            if (Nodes.NameOf(node) is not { } place) return Errno.Stale;
            var descriptor = Posix.Open(place.Parent.Directory, place.Name, Posix.PathOnly | Posix.NoFollow | Posix.CloseOnExec, 0);
            if (descriptor < 0 && Posix.Error != Errno.NotFound) return Posix.Error;
            if (descriptor < 0) continue;
            reached = new Reached(descriptor, isOwned: true);
            if (node.IsStoredOnly || (Look(descriptor, out var stat) == 0 && NodeKey.Of(stat) == node.Key)) return 0;
            reached.Dispose();
        }

        return Nodes.PathOf(node) is { } path && stored[path] is not null ? throw new ContentNeededException(path) : Errno.Stale;
    }

    /// <summary>Adds what is at a name of the cache to an answer, told to the kernel once.</summary>
    public int AddEntry(Node parent, string name, FuseReply reply)
    {
        if (Look(parent, name, out var stat) is not 0 and var error) return error;
        AddEntry(Nodes.Enter(parent, name, NodeKey.Of(stat), Opener(parent, name, stat)), stat, reply);
        return 0;
    }

    /// <summary>Opens a directory that the kernel is told of.</summary>
    public static Func<int>? Opener(Node parent, string name, in Statx stat) =>
        stat.Type == Statx.TypeDirectory ? () => Posix.Open(parent.Directory, name, Posix.PathOnly | Posix.Directory | Posix.NoFollow | Posix.CloseOnExec, 0) : null;

    public static void AddEntry(Node node, in Statx stat, FuseReply reply)
    {
        ref var entry = ref reply.Add<Wire.EntryOut>();
        (entry.Node, entry.EntryValid, entry.AttributesValid) = (node.Id, NamesHold, AttributesHold);
        Fill(ref entry.Attributes, stat);
    }

    /// <summary>Adds what the store has of a name.</summary>
    public void AddEntry(Node node, StoreEntry stored, FuseReply reply)
    {
        ref var entry = ref reply.Add<Wire.EntryOut>();
        (entry.Node, entry.EntryValid, entry.AttributesValid) = (node.Id, 1, 1);
        Fill(ref entry.Attributes, stored, node);
    }

    public static void Fill(ref Wire.Attributes to, in Statx stat)
    {
        (to.Inode, to.Size, to.Blocks, to.BlockSize) = (stat.Inode, stat.Size, stat.Blocks, stat.BlockSize);
        (to.Accessed, to.AccessedNs) = ((ulong)stat.Accessed.Seconds, stat.Accessed.Nanoseconds);
        (to.Modified, to.ModifiedNs) = ((ulong)stat.Modified.Seconds, stat.Modified.Nanoseconds);
        (to.Changed, to.ChangedNs) = ((ulong)stat.Changed.Seconds, stat.Changed.Nanoseconds);
        (to.Mode, to.Links, to.User, to.Group) = (stat.Mode, stat.Links, stat.User, stat.Group);
    }

    public void Fill(ref Wire.Attributes to, StoreEntry entry, Node node)
    {
        var owner = entry.Owner ?? (Look(root, out var stat) == 0 ? (stat.User, stat.Group) : (0, 0));
        (to.Inode, to.Size, to.Blocks, to.BlockSize) = (node.Id | (1UL << 62), (ulong)entry.Size, (ulong)(entry.Size + 511) / 512, 4096);
        to.Accessed = to.Modified = to.Changed = (ulong)(entry.ModifiedNs / 1_000_000_000);
        to.AccessedNs = to.ModifiedNs = to.ChangedNs = (uint)(entry.ModifiedNs % 1_000_000_000);
        (to.Mode, to.Links, to.User, to.Group) = ((uint)(Statx.TypeFile | (entry.Mode & 0x1FF)), 1, owner.Item1, owner.Item2);
    }

    /// <summary>Gives what was just made to whom it belongs.</summary>
    public unsafe void Own(Node parent, string name, in Wire.InHeader who, uint mode)
    {
        var group = who.Group;
        if (Look(parent.Directory, out var above) == 0 && (above.Mode & 0x400) != 0) group = above.Group; // S_ISGID
        if (Posix.User() == 0 && (who.User != 0 || group != 0)) _ = Posix.SetOwner(parent.Directory, name, who.User, group, Posix.NoFollowAt);
        if ((mode & Mask) == 0) return;
        var descriptor = Posix.Open(parent.Directory, name, Posix.PathOnly | Posix.NoFollow | Posix.CloseOnExec, 0);
        if (descriptor < 0) return;
        _ = Posix.SetMode(Posix.PathOf(descriptor), mode & 0xFFF);
        _ = Posix.Close(descriptor);
    }

    public void Tell(TreeChange change, string? path)
    {
        if (path is not null) events.Tell(new FuseEvent(change, path));
    }

    private async Task<int> RunLaterAsync(FuseReply reply, bool needsRoom, IReadOnlyList<string> missing, Func<FuseReply, int> attempt, CancellationToken ct)
    {
        while (true)
        {
            foreach (var path in missing) await contents.BringBackAsync(path, ct);
            missing = [];
            if (needsRoom) await gate.WaitAsync(once: false, ct);
            reply.Clear();
            try
            {
                var error = attempt(reply);
                if (error != Errno.NoSpace || !gate.MayHelp) return error;
                await gate.WaitAsync(once: true, ct);
            }
            catch (ContentNeededException needed)
            {
                missing = needed.Paths;
            }
        }
    }

    private static NodeKey KeyOf(int descriptor) => Look(descriptor, out var stat) == 0 ? NodeKey.Of(stat) : throw new IOException("the cache's directory can't be looked at");

    private static uint OwnMask()
    {
        var line = System.IO.File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("Umask:", StringComparison.Ordinal));
        return line is null ? 0x1FF : Convert.ToUInt32(line["Umask:".Length..].Trim(), 8);
    }
}

/// <summary>A descriptor for as long as it is needed.</summary>
internal readonly struct Reached(int descriptor, bool isOwned) : IDisposable
{
    public int Descriptor => descriptor;

    /// <summary>As a path.</summary>
    public string Path => Posix.PathOf(descriptor);

    public void Dispose()
    {
        if (isOwned) _ = Posix.Close(descriptor);
    }
}
