using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>A request as it was read from the device. Every look into it is held to its length.</summary>
internal readonly ref struct FuseRequest
{
    private const int LongestName = 1024;
    private readonly ReadOnlySpan<byte> _body;

    /// <exception cref="BadRequestException">It is shorter than it says.</exception>
    public FuseRequest(ReadOnlySpan<byte> bytes)
    {
        if (!MemoryMarshal.TryRead<Wire.InHeader>(bytes, out var header) || header.Length > bytes.Length || header.Length < Unsafe.SizeOf<Wire.InHeader>() + (header.ExtensionLength * 8)) throw new BadRequestException("a request is shorter than it says");
        Header = header;
        _body = bytes[Unsafe.SizeOf<Wire.InHeader>()..((int)header.Length - (header.ExtensionLength * 8))];
    }

    public Wire.InHeader Header { get; }

    /// <summary>The structure that the request begins with.</summary>
    public T Read<T>(int at = 0)
        where T : unmanaged
    {
        if (at > _body.Length || !MemoryMarshal.TryRead<T>(_body[at..], out var value)) throw new BadRequestException($"a request of {Header.Opcode} has {_body.Length} bytes");
        return value;
    }

    /// <summary>What follows a structure.</summary>
    public ReadOnlySpan<byte> After<T>(int most)
        where T : unmanaged
    {
        var begin = Unsafe.SizeOf<T>();
        return most >= 0 && begin + (long)most <= _body.Length ? _body.Slice(begin, most) : throw new BadRequestException($"a request of {Header.Opcode} has {_body.Length} bytes");
    }

    /// <summary>A name of an entry.</summary>
    /// <param name="at">Where it begins; then where what follows begins.</param>
    public string Name(ref int at)
    {
        var name = Text(ref at, LongestName);
        return name.Contains('/', StringComparison.Ordinal) || name is "" or "." or ".." ? throw new BadRequestException("a name that can't be") : name;
    }

    /// <summary>The name of an entry that follows a structure.</summary>
    public string NameAfter<T>()
        where T : unmanaged
    {
        var at = Unsafe.SizeOf<T>();
        return Name(ref at);
    }

    /// <summary>Bytes up to a zero.</summary>
    public string Text(ref int at, int most)
    {
        if (at > _body.Length) throw new BadRequestException($"a request of {Header.Opcode} has {_body.Length} bytes");
        var length = _body[at..].IndexOf((byte)0);
        if (length < 0 || length > most) throw new BadRequestException("a name without an end");
        var text = FileName.Decode(_body.Slice(at, length));
        at += length + 1;
        return text;
    }
}
