using System.Buffers.Binary;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>A name of a directory that is being read.</summary>
/// <param name="Name">The name.</param>
/// <param name="Inode">Inode number; 0 when only the store has it.</param>
/// <param name="Type">As in a directory entry.</param>
internal readonly record struct ListedName(string Name, ulong Inode, byte Type);

/// <summary>A directory that is being read: its names as they were when reading began.</summary>
internal sealed class DirectoryHandle(Node node)
{
    private const int Piece = 64 << 10;

    public Node Node => node;

    /// <summary>The names; null before the first look.</summary>
    public IReadOnlyList<ListedName>? Names { get; set; }

    /// <summary>All names on disk, with . and .. first.</summary>
    /// <returns>0 or an error.</returns>
    public static unsafe int Read(Node node, List<ListedName> names)
    {
        var descriptor = Posix.Open(node.Directory, ".", Posix.ReadOnly | Posix.Directory | Posix.CloseOnExec, 0);
        if (descriptor < 0) return Posix.Error;
        var buffer = new byte[Piece];
        nint length;
        fixed (byte* at = buffer)
        {
            while ((length = Posix.ReadDirectory(descriptor, at, Piece)) > 0) Add(buffer.AsSpan(0, (int)length), names);
        }

        var error = Posix.Result(length);
        _ = Posix.Close(descriptor);
        names.Sort((one, other) => Rank(one).CompareTo(Rank(other)));
        return error;

        static int Rank(ListedName name) => name.Name switch { "." => 0, ".." => 1, _ => 2 };
    }

    private static void Add(ReadOnlySpan<byte> entries, List<ListedName> names)
    {
        while (entries.Length > 19)
        {
            var size = BinaryPrimitives.ReadUInt16LittleEndian(entries[16..]);
            var name = entries[19..size];
            names.Add(new ListedName(FileName.Decode(name[..name.IndexOf((byte)0)]), BinaryPrimitives.ReadUInt64LittleEndian(entries), entries[18]));
            entries = entries[size..];
        }
    }
}
