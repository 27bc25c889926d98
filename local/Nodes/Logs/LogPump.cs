using System.Globalization;
using System.Text;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Nodes.Logs;

/// <summary>
/// Turns the raw output files of one container run into one log in CRI format
/// (<c>TIME stdout|stderr F|P TEXT</c>, as kubelets write it). Where it stopped is not recorded anywhere: the log itself
/// says how many raw bytes of each stream it holds, so a pump that starts again neither loses nor repeats a line.
/// Order between the two streams is best effort.
/// </summary>
public sealed class LogPump : IDisposable
{
    /// <summary>Longest text of one log line, bytes; longer lines are cut and marked P.</summary>
    public const int MaxLine = 16 * 1024;

    private const int FreeEvery = 1 << 20;
    private readonly TimeProvider _time;
    private readonly string _logFile;
    private readonly long _maxBytes;
    private readonly RawStream[] _streams;
    private FileStream? _log;

    /// <summary>Opens the pump and finds where an earlier one stopped.</summary>
    /// <param name="outputFile">Raw standard output.</param>
    /// <param name="errorFile">Raw standard error.</param>
    /// <param name="logFile">The log to append to; its directory is made.</param>
    /// <param name="time">Clock of the time stamps.</param>
    /// <param name="maxBytes">Size at which the log is moved to <c>.1</c> and begun anew.</param>
    public LogPump(string outputFile, string errorFile, string logFile, TimeProvider time, long maxBytes = 256L << 20)
    {
        _time = time;
        _logFile = logFile;
        _maxBytes = maxBytes;
        Directory.CreateDirectory(Path.GetDirectoryName(logFile)!);
        var (stdout, stderr) = CriLog.Recover(logFile);
        _streams = [new("stdout", outputFile, stdout), new("stderr", errorFile, stderr)];
    }

    /// <summary>Moves what is new to the log.</summary>
    /// <param name="final">True once the container has ended: a last line without newline is written too.</param>
    /// <returns>True when anything was moved.</returns>
    public bool Pump(bool final = false)
    {
        var moved = false;
        foreach (var stream in _streams)
        {
            while (Pump(stream, final)) moved = true;
        }

        if (moved) _log?.Flush();
        if (_log is { } log && log.Length > _maxBytes) Rotate(log);
        return moved;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _log?.Dispose();
        foreach (var stream in _streams) stream.Dispose();
    }

    private bool Pump(RawStream stream, bool final)
    {
        var chunk = stream.Peek();
        if (chunk.Length == 0) return false;
        var stamp = Encoding.ASCII.GetBytes(_time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'00Z'", CultureInfo.InvariantCulture) + " " + stream.Name);
        var used = 0;
        while (used < chunk.Length)
        {
            var rest = chunk[used..];
            var end = rest.IndexOf((byte)'\n');
            var full = end >= 0 && end <= MaxLine;
            if (!full && rest.Length < MaxLine && !(final && stream.AtEnd(used + rest.Length))) break;
            var text = rest[..(full ? end : Math.Min(rest.Length, MaxLine))];
            var closes = full || (final && text.Length == rest.Length && stream.AtEnd(used + rest.Length));
            Write(stamp, closes, text);
            used += text.Length + (full ? 1 : 0);
        }

        stream.Consume(used, FreeEvery);
        return used > 0;
    }

    private void Write(byte[] stamp, bool full, ReadOnlySpan<byte> text)
    {
        _log ??= new FileStream(_logFile, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 64 * 1024);
        _log.Write(stamp);
        _log.Write(full ? " F "u8 : " P "u8);
        _log.Write(text);
        _log.Write("\n"u8);
    }

    private void Rotate(FileStream log)
    {
        log.Dispose();
        _log = null;
        File.Move(_logFile, _logFile + ".1", overwrite: true);
        CriLog.WriteBase(_logFile, _streams[0].Offset, _streams[1].Offset);
    }

    private sealed class RawStream(string name, string path, long offset) : IDisposable
    {
        private readonly byte[] _buffer = new byte[64 * 1024];
        private FileStream? _file;
        private long _freed;

        public string Name => name;

        public long Offset { get; private set; } = offset;

        public ReadOnlySpan<byte> Peek()
        {
            try
            {
                _file ??= new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 1);
                var read = RandomAccess.Read(_file.SafeFileHandle, _buffer, Offset);
                return _buffer.AsSpan(0, read);
            }
            catch (IOException)
            {
                return [];
            }
        }

        public bool AtEnd(int ahead) => _file is null || Offset + ahead >= RandomAccess.GetLength(_file.SafeFileHandle);

        public void Consume(int bytes, int freeEvery)
        {
            Offset += bytes;
            if (Offset - _freed < freeEvery || _file is null) return;
            NativeCalls.FreeRange(_file.SafeFileHandle, 0, Offset);
            _freed = Offset;
        }

        public void Dispose() => _file?.Dispose();
    }
}
