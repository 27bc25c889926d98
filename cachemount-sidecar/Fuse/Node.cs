using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>What tells one entry of the cache's disk from another. Of an entry that only the store has, the inode is 0.</summary>
/// <param name="Inode">Inode number.</param>
/// <param name="BornNs">When it was made, for file systems give numbers out again.</param>
internal readonly record struct NodeKey(ulong Inode, long BornNs)
{
    public static NodeKey Of(in Statx stat) => new(stat.Inode, stat.Born.Total);
}

/// <summary>A name in a directory.</summary>
internal readonly record struct NodeName(Node Parent, string Name);

/// <summary>How an entry's content is served while it is open; all who have it open must agree.</summary>
internal enum ServedBy
{
    /// <summary>Nobody has it open.</summary>
    Nobody,

    /// <summary>This process reads and writes.</summary>
    Us,

    /// <summary>The kernel reads and writes the file of the cache.</summary>
    Kernel,
}

/// <summary>An entry that the kernel knows. What links it to others belongs to the <see cref="NodeTable"/>, what is open to whoever holds its lock.</summary>
internal sealed class Node(ulong id, NodeKey key)
{
    public const ulong RootId = 1;

    public ulong Id => id;

    public NodeKey Key { get; set; } = key;

    /// <summary>Descriptor of a directory, by which its entries are reached whatever its path is; -1 when it is none.</summary>
    public int Directory { get; set; } = -1;

    public bool IsDirectory => Directory >= 0;

    /// <summary>Only the store has it.</summary>
    public bool IsStoredOnly => Key.Inode == 0;

    /// <summary>Names; a file that was removed and is still open has none.</summary>
    public List<NodeName> Names { get; } = new(1);

    /// <summary>How often the kernel was told of it and has not forgotten it.</summary>
    public long Lookups { get; set; }

    /// <summary>Entries below that the kernel knows.</summary>
    public int Children { get; set; }

    /// <summary>Held by who opens and closes.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Those who have it open.</summary>
    public List<FileHandle> Handles { get; } = [];

    /// <summary>How many of them may write.</summary>
    public int Writers { get; set; }

    public ServedBy Served { get; set; }

    /// <summary>The kernel's number of its file, while the kernel serves it.</summary>
    public int BackingId { get; set; }

    /// <summary>Its content was changed past the kernel's cache, which must not be believed any more.</summary>
    public bool WasServedByKernel { get; set; }
}
