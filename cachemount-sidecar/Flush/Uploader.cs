using System.Text;
using Microsoft.Win32.SafeHandles;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Flush;

/// <summary>The file is not what was closed: changed, replaced or gone.</summary>
internal sealed class StaleFileException(string message) : Exception(message);

/// <summary>
/// Brings the content of one closed file to the store. <see cref="PrepareAsync"/> sends the parts and may run for many files at once;
/// <see cref="CommitAsync"/> makes the file visible. What was sent before a restart is not sent again.
/// </summary>
internal sealed class Uploader(string root, KeyClaims claims, IObjectStore store, Book book, PartWindow window, Counters counters, FlushSettings settings, TimeProvider time)
{
    // Timers may be early by some milliseconds.
    private static readonly TimeSpan PastTick = TimeSpan.FromMilliseconds((Fingerprint.TickNs / 1_000_000) + 20);

    /// <summary>A new series of pauses.</summary>
    public Backoff NewBackoff() => new(settings.FirstPause, settings.LongestPause);

    /// <summary>Whether a file is sent in one request when its turn comes.</summary>
    public bool IsDirect(Store operation) => operation.File.Size <= settings.DirectSize || (operation.File.Size <= LinkTarget.Longest && Libc.Stat(PathOf(operation.Path)) is { Kind: EntryKind.Link });

    /// <summary>Sends the parts of a file until the store has all of them.</summary>
    /// <param name="operation">The file.</param>
    /// <param name="trouble">Told what goes wrong, and null when it goes on.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="StaleFileException">The file is not what was closed.</exception>
    /// <exception cref="StoreException">The upload must be begun anew.</exception>
    public async Task PrepareAsync(Store operation, Action<string?> trouble, CancellationToken ct)
    {
        if (IsDirect(operation)) return;
        using var file = await OpenAsync(operation, ct);
        var upload = await UploadAsync(operation, file, ct);
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var plan = new PartPlan(operation.File.Size, upload.PartSize);
        var sending = new List<Task>();
        try
        {
            foreach (var number in Enumerable.Range(1, plan.Count).Except(upload.Stored))
            {
                var slot = await window.EnterAsync(operation.Sequence, number, failed.Token);
                sending.Add(SendPartAsync(operation, upload.Id, file, plan, number, slot, trouble, failed));
                sending.RemoveAll(part => part.IsCompletedSuccessfully);
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // A part has failed; its reason follows.
        }

        await Task.WhenAll(sending);
        if (!operation.File.LooksLike(Libc.Stat(file).File)) throw new StaleFileException($"{operation.Path} changed while it was sent");
    }

    /// <summary>Makes the file visible and holds what the store then has to what was sent.</summary>
    public Task<Completed> CommitAsync(Store operation, CancellationToken ct) =>
        IsDirect(operation) ? PutAsync(operation, ct) : CompleteAsync(operation, ct);

    /// <summary>The upload of an operation leads nowhere; the next try begins another one.</summary>
    public void Abandon(Operation operation) => _ = book.Record(ledger => ledger.UploadOf(operation.Sequence)?.UploadId is { } id
        ? [new UploadEnded(operation.Sequence, operation.Path, id), new UploadBegun(0, operation.Path, id, 0)]
        : []);

    /// <summary>Takes away what is left of uploads that lead nowhere: it costs money in the store. What fails is tried at the next occasion.</summary>
    public async Task AbortAbandonedAsync(CancellationToken ct)
    {
        foreach (var (id, path) in book.Read(ledger => ledger.AbandonedUploads.ToArray()))
        {
            try
            {
                await store.AbortUploadAsync(path, id, ct);
                if (book.Read(ledger => ledger.KeyOf(path)) is var key && key != path) await store.AbortUploadAsync(key, id, ct);
                _ = book.Record(new UploadEnded(0, path, id));
            }
            catch (Exception error) when (error is StoreException or OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task SendPartAsync(Store operation, string uploadId, SafeFileHandle file, PartPlan plan, int number, PartSlot slot, Action<string?> trouble, CancellationTokenSource failed)
    {
        var backoff = NewBackoff();
        while (true)
        {
            var outcome = PartOutcome.Failed;
            try
            {
                var (offset, length) = plan.Part(number);
                var body = await Task.Run(() => ObjectBody.Of(file, offset, length, failed.Token), failed.Token);
                var part = await store.PutPartAsync(KeyOf(operation), uploadId, number, body, failed.Token);
                outcome = PartOutcome.Arrived;
                counters.Took(length);
                trouble(null);
                _ = book.Record(new PartStored(operation.Sequence, operation.Path, uploadId, number, part.ETag, body.Crc32));
                return;
            }
            catch (StoreException error) when (error.Problem is not (StoreProblem.NoSuchUpload or StoreProblem.Corrupt))
            {
                if (error.Problem == StoreProblem.SlowDown) outcome = PartOutcome.SlowDown;
                counters.Retried(error.Code);
                trouble(error.Message);
            }
            catch (EndOfStreamException error)
            {
                await failed.CancelAsync();
                throw new StaleFileException(error.Message);
            }
            catch
            {
                await failed.CancelAsync();
                throw;
            }
            finally
            {
                window.Leave(slot, outcome);
            }

            await Task.Delay(backoff.Next(), time, failed.Token);
            slot = await window.EnterAsync(operation.Sequence, number, failed.Token);
        }
    }

    private async Task<(string Id, long PartSize, IReadOnlyCollection<int> Stored)> UploadAsync(Store operation, SafeFileHandle file, CancellationToken ct)
    {
        var known = book.Read(ledger => ledger.UploadOf(operation.Sequence) is { } upload ? (upload.UploadId, upload.PartSize, Stored: upload.Parts.Keys.ToArray()) : default);
        if (known.UploadId is not null) return known;
        var plan = PartPlan.For(operation.File.Size, settings.SmallestPart);
        var id = await store.BeginUploadAsync(KeyOf(operation), Metadata(operation, Libc.Stat(file)), ct);
        _ = book.Record(ledger => [new UploadBegun(ledger.Find(operation.Sequence) is null ? 0 : operation.Sequence, operation.Path, id, plan.PartSize)]);
        return (id, plan.PartSize, []);
    }

    private async Task<Completed> PutAsync(Store operation, CancellationToken ct)
    {
        var (bytes, entry) = await ReadAsync(operation, ct);
        if (operation.File.Size != bytes.Length || !operation.File.LooksLike(entry.File)) throw new StaleFileException($"{operation.Path} changed while it was read");
        var body = ObjectBody.Of(bytes);
        var stored = await claims.WriteAsync(operation.Path, operation.Sequence, looksFirst: false, (key, only) => store.PutAsync(key, body, Metadata(operation, entry), ct, only), found => IsSame(found, bytes, body.Crc32) ? found with { Crc32 = body.Crc32 } : null, counters.Conflicted, ct);
        counters.Took(bytes.Length);
        if (stored.Crc32 is null) stored = await store.HeadAsync(KeyOf(operation), ct) ?? throw Wrong(operation, "is not there after it was stored");
        return Confirmed(operation, entry.File, stored, body.Crc32);
    }

    // A link has where it leads for content.
    private async Task<(byte[] Bytes, Entry Entry)> ReadAsync(Store operation, CancellationToken ct)
    {
        if (Libc.Stat(PathOf(operation.Path)) is { Kind: EntryKind.Link })
        {
            await PassTickAsync(operation, ct);
            var target = new FileInfo(PathOf(operation.Path)).LinkTarget ?? "";
            return (Encoding.UTF8.GetBytes(target), Libc.Stat(PathOf(operation.Path)) ?? throw new StaleFileException($"{operation.Path} is gone"));
        }

        using var file = await OpenAsync(operation, ct);
        var bytes = new byte[operation.File.Size];
        var read = await RandomAccess.ReadAsync(file, bytes, 0, ct);
        return (read == bytes.Length ? bytes : [], Libc.Stat(file));
    }

    private async Task<Completed> CompleteAsync(Store operation, CancellationToken ct)
    {
        if (Libc.Stat(PathOf(operation.Path)) is not { } entry || !operation.File.LooksLike(entry.File)) throw new StaleFileException($"{operation.Path} changed before its turn");
        var (id, partSize, parts) = book.Read(ledger => ledger.UploadOf(operation.Sequence) is { } upload ? (upload.UploadId, upload.PartSize, Parts: upload.Parts.Values.ToArray()) : default);
        var plan = new PartPlan(operation.File.Size, partSize);
        if (id is null || parts.Length != plan.Count) throw new StoreException(StoreProblem.NoSuchUpload, $"the upload of {operation.Path} is not whole");
        var crc = parts.Aggregate(0u, (whole, part) => part.Number == 1 ? part.Crc32 : CrcCombine.Combine(whole, part.Crc32, plan.Part(part.Number).Length));
        StoreException? doubt = null;
        try
        {
            await claims.WriteAsync<object>(operation.Path, operation.Sequence, looksFirst: true, async (key, only) =>
            {
                await store.CompleteUploadAsync(key, id, parts, ct, only);
                return operation;
            }, _ => null, Divert, ct);
        }
        catch (StoreException error) when (error.Problem == StoreProblem.NoSuchUpload)
        {
            doubt = error; // an earlier try may have done it, and its answer was lost
        }

        var stored = await store.HeadAsync(KeyOf(operation), ct);
        if (doubt is not null && !claims.IsOf(stored, operation.Sequence)) throw doubt;
        return Confirmed(operation, entry.File, stored ?? throw Wrong(operation, "is not there after it was completed"), crc);
    }

    // Of a small object the tag is mostly its MD5 sum.
#pragma warning disable CA5351
    private static bool IsSame(StoredObject found, byte[] bytes, uint crc) => found.Size == bytes.Length
        && (found.Crc32 is { } theirs ? theirs == crc : found.ETag.Trim('"') == Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData(bytes)));
#pragma warning restore CA5351

    // Its parts are sent again, to the other key.
    private void Divert()
    {
        counters.Conflicted();
        throw new StoreException(StoreProblem.NoSuchUpload, "somebody else wrote the key meanwhile; it is sent to another one") { Code = "conflict" };
    }

    private static Completed Confirmed(Store operation, Fingerprint file, StoredObject stored, uint crc)
    {
        if (stored.Size != operation.File.Size) throw Wrong(operation, $"has {stored.Size} bytes in the store instead of {operation.File.Size}");
        if (stored.Crc32 is { } theirs && theirs != crc) throw Wrong(operation, "has another checksum in the store than what was sent");
        return new Completed(operation.Sequence, operation.Path, file, stored.ETag, crc);
    }

    private static StoreException Wrong(Operation operation, string how) => new(StoreProblem.WrongParts, $"{operation.Path} {how}; it is sent again");

    // A change within the tick of the last one leaves no trace in the fingerprint: nothing is read before the tick is over.
    private async Task PassTickAsync(Store operation, CancellationToken ct)
    {
        var left = TimeSpan.FromMicroseconds((operation.File.ModifiedNs - Libc.ClockNs()) / 1000) + PastTick;
        if (operation.File.Racy && left > TimeSpan.Zero) await Task.Delay(left < PastTick ? left : PastTick, time, ct);
    }

    private async Task<SafeFileHandle> OpenAsync(Store operation, CancellationToken ct)
    {
        await PassTickAsync(operation, ct);
        if (Libc.Stat(PathOf(operation.Path)) is { Kind: not EntryKind.File }) throw new StaleFileException($"{operation.Path} is no file any more");
        try
        {
            var file = File.OpenHandle(PathOf(operation.Path), share: FileShare.ReadWrite | FileShare.Delete);
            if (operation.File.LooksLike(Libc.Stat(file).File)) return file;
            file.Dispose();
            throw new StaleFileException($"{operation.Path} changed after it was closed");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new StaleFileException($"{operation.Path} is gone");
        }
    }

    private Dictionary<string, string> Metadata(Store operation, Entry entry)
    {
        var metadata = FileLook.Metadata(entry);
        claims.Sign(metadata, operation.Sequence);
        return metadata;
    }

    private string KeyOf(Store operation) => book.Read(ledger => ledger.KeyOf(operation.Path));

    private string PathOf(string path) => Path.Combine(root, path);
}
