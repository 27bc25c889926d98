namespace Trestle.Local.ApiServer;

/// <summary>What the journal needs of a file; the tests give one that fails as disks do.</summary>
internal interface IJournalFile : IDisposable
{
    byte[] ReadAll();

    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Returns when what was appended is on the disk.</summary>
    void Flush();

    void Truncate(long length);
}

internal sealed class JournalFile : IJournalFile
{
    private readonly FileStream _stream;

    public JournalFile(string path)
    {
        _stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Read,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        _stream.Seek(0, SeekOrigin.End);
    }

    public byte[] ReadAll()
    {
        var bytes = new byte[_stream.Length];
        _stream.Seek(0, SeekOrigin.Begin);
        _stream.ReadExactly(bytes);
        return bytes;
    }

    public void Append(ReadOnlySpan<byte> bytes) => _stream.Write(bytes);

    public void Flush() => _stream.Flush(flushToDisk: true);

    public void Truncate(long length)
    {
        _stream.SetLength(length);
        _stream.Seek(length, SeekOrigin.Begin);
    }

    public void Dispose() => _stream.Dispose();
}
