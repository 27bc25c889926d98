using System.Text;
using System.Text.Unicode;

namespace Trestle.CacheMount.Native;

/// <summary>
/// A file's name may be any bytes. As text it is UTF-8 where it can be; a byte that is no part of that becomes a lone surrogate
/// (U+DC80 to U+DCFF, as Python has it), so that every name comes back as it was.
/// </summary>
internal static class FileName
{
    private const int Escape = 0xDC00;

    /// <summary>The name as text.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes)) return Encoding.UTF8.GetString(bytes);
        var text = new StringBuilder(bytes.Length);
        while (bytes.Length > 0)
        {
            if (Rune.DecodeFromUtf8(bytes, out var rune, out var length) == System.Buffers.OperationStatus.Done) text.Append(rune.ToString());
            else (_, length) = (text.Append((char)(Escape + bytes[0])), 1);
            bytes = bytes[length..];
        }

        return text.ToString();
    }

    /// <summary>The name as bytes.</summary>
    public static byte[] Encode(string name)
    {
        var bytes = new byte[MostBytes(name)];
        return bytes[..Encode(name, bytes)];
    }

    /// <summary>Writes the name as bytes.</summary>
    /// <returns>How many.</returns>
    public static int Encode(ReadOnlySpan<char> name, Span<byte> to)
    {
        if (!name.ContainsAnyInRange('\ud800', '\udfff')) return Encoding.UTF8.GetBytes(name, to);
        var at = 0;
        while (name.Length > 0)
        {
            if (Rune.DecodeFromUtf16(name, out var rune, out var length) == System.Buffers.OperationStatus.Done) at += rune.EncodeToUtf8(to[at..]);
            else to[at++] = (byte)name[0];
            name = name[length..];
        }

        return at;
    }

    /// <summary>Most bytes that a name can have.</summary>
    public static int MostBytes(ReadOnlySpan<char> name) => name.Length * 3;

    /// <summary>Whether all of it is UTF-8.</summary>
    public static bool IsText(ReadOnlySpan<char> name)
    {
        while (name.IndexOfAnyInRange('\ud800', '\udfff') is var at and >= 0)
        {
            if (Rune.DecodeFromUtf16(name[at..], out _, out var length) != System.Buffers.OperationStatus.Done) return false;
            name = name[(at + length)..];
        }

        return true;
    }
}
