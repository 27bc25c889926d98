using System.Buffers;
using System.Buffers.Text;

namespace Trestle.Bridge.Login;

/// <summary>One stream of an answer as it comes in, read between the marks of its frame. Not safe for concurrent use.</summary>
internal sealed class FramedAnswer(ScriptFrame frame)
{
    private readonly ArrayBufferWriter<byte> _received = new();
    private int _opened = -1;
    private int _closed = -1;
    private int _searched;

    /// <summary>Bytes received so far, marks and noise included.</summary>
    public int Length => _received.WrittenCount;

    /// <summary>The closing mark is here, with the exit code after it.</summary>
    public bool IsComplete => ExitCode is not null;

    public int? ExitCode { get; private set; }

    /// <summary>What the script wrote; only once it is complete.</summary>
    public ReadOnlyMemory<byte> Content => IsComplete ? Received[_opened.._closed] : throw new InvalidOperationException("the answer is not complete");

    /// <summary>What came before the opening mark, or everything when there is none: words of the login shell.</summary>
    public ReadOnlyMemory<byte> Noise => _opened < 0 ? Received : Received[..(_opened - frame.Opening.Length)];

    private ReadOnlyMemory<byte> Received => _received.WrittenMemory;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _received.Write(bytes);
        if (_opened < 0 && Find(frame.Opening.Span) is { } opening) _opened = _searched = opening + frame.Opening.Length;
        if (_opened >= 0 && _closed < 0 && Find(frame.Closing.Span) is { } closing) _closed = _searched = closing;
        if (_closed >= 0 && ExitCode is null) ReadCode(Received.Span[(_closed + frame.Closing.Length)..]);
    }

    // A mark may come in two pieces, so its beginning is looked for again.
    private int? Find(ReadOnlySpan<byte> mark)
    {
        var at = Received.Span[_searched..].IndexOf(mark);
        if (at >= 0) return _searched + at;
        _searched = Math.Max(_searched, _received.WrittenCount - mark.Length + 1);
        return null;
    }

    private void ReadCode(ReadOnlySpan<byte> after)
    {
        var stop = after.IndexOf((byte)'.');
        if (stop > 0 && Utf8Parser.TryParse(after[..stop], out int code, out var used) && used == stop) ExitCode = code;
    }
}
