using System.Buffers;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Journal;

/// <summary>
/// The journal on disk: records are appended in the order given, and many are synced at once. A disk that is full or broken stops
/// neither the user nor the uploads: the journal then says so, and is written anew from the ledger when the disk takes it again.
/// </summary>
internal sealed class JournalFile : IAsyncDisposable
{
    /// <summary>A journal that has grown past this is written anew.</summary>
    private const long CompactAt = 32 << 20;

    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly Func<IReadOnlyList<JournalRecord>> _snapshot;
    private readonly Channel<Entry> _queue = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _writing;
    private SafeFileHandle _file;
    private long _length;

    private JournalFile(string path, TimeProvider time, Func<IReadOnlyList<JournalRecord>> snapshot, SafeFileHandle file, long length)
    {
        (_path, _time, _snapshot, _file, _length) = (path, time, snapshot, file, length);
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Why records are not on disk; null when they are.</summary>
    public string? Trouble { get; private set; }

    /// <summary>How long the last sync took.</summary>
    public TimeSpan LastSync { get; private set; }

    /// <summary>Reads a journal into a ledger. A damaged one is kept beside the new one.</summary>
    /// <returns>Bytes that could not be read as records.</returns>
    public static long Read(string path, Ledger ledger)
    {
        if (!File.Exists(path)) return 0;
        var scan = JournalScan.Of(File.ReadAllBytes(path));
        foreach (var record in scan.Records) ledger.Apply(record);
        if (scan.DamagedBytes > 0) File.Copy(path, path + ".damaged", overwrite: true);
        return scan.DamagedBytes;
    }

    /// <summary>Writes the journal anew from the ledger's state and opens it for more.</summary>
    /// <param name="path">The file.</param>
    /// <param name="snapshot">The records from which the present state follows; called from another thread.</param>
    /// <param name="time">The clock.</param>
    public static JournalFile Open(string path, Func<IReadOnlyList<JournalRecord>> snapshot, TimeProvider time)
    {
        var (file, length) = Rewrite(path, snapshot());
        return new JournalFile(path, time, snapshot, file, length);
    }

    /// <summary>Appends records, in order; the task ends when they are on disk, however long that takes.</summary>
    public Task AppendAsync(params IReadOnlyList<JournalRecord> records)
    {
        var entry = new Entry(records, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return _queue.Writer.TryWrite(entry) ? entry.Synced.Task : Task.FromCanceled(new CancellationToken(canceled: true));
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        if (Trouble is not null) await _stop.CancelAsync();
        await _writing;
        _stop.Dispose();
        _file.Dispose();
    }

    private async Task WriteAsync()
    {
        var batch = new List<Entry>();
        var bytes = new ArrayBufferWriter<byte>();
        while (await _queue.Reader.WaitToReadAsync())
        {
            batch.Clear();
            bytes.ResetWrittenCount();
            while (batch.Count < 4096 && _queue.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
                foreach (var record in entry.Records) RecordCodec.Write(record, bytes);
            }

            if (!await PutOnDiskAsync(bytes)) break;
            foreach (var entry in batch) entry.Synced.TrySetResult();
        }

        foreach (var entry in batch) entry.Synced.TrySetCanceled();
        while (_queue.Reader.TryRead(out var left)) left.Synced.TrySetCanceled();
    }

    // False: told to stop while the disk did not take it.
    private async Task<bool> PutOnDiskAsync(ArrayBufferWriter<byte> bytes)
    {
        while (true)
        {
            try
            {
                var began = _time.GetTimestamp();
                if (Trouble is null && _length + bytes.WrittenCount <= CompactAt)
                {
                    RandomAccess.Write(_file, bytes.WrittenSpan, _length);
                    RandomAccess.FlushToDisk(_file);
                    _length += bytes.WrittenCount;
                }
                else
                {
                    // The snapshot holds what these records say: a record is applied before it is appended.
                    var (file, length) = Rewrite(_path, _snapshot());
                    _file.Dispose();
                    (_file, _length) = (file, length);
                }

                (Trouble, LastSync) = (null, _time.GetElapsedTime(began));
                return true;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                Trouble = $"the journal can't be written: {error.Message}; free space on the disk of the cache";
            }

            try
            {
                await Task.Delay(RetryPause, _time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }

    private static (SafeFileHandle File, long Length) Rewrite(string path, IReadOnlyList<JournalRecord> records)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var record in records) RecordCodec.Write(record, bytes);
        var fresh = path + ".new";
        var file = File.OpenHandle(fresh, FileMode.Create, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            RandomAccess.Write(file, bytes.WrittenSpan, 0);
            RandomAccess.FlushToDisk(file);
            Libc.Rename(fresh, path);
            Libc.SyncDirectory(Path.GetDirectoryName(path)!);
            return (file, bytes.WrittenCount);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private sealed record Entry(IReadOnlyList<JournalRecord> Records, TaskCompletionSource Synced);
}
