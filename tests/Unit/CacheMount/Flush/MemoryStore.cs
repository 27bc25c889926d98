using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Tests.Flush;

/// <summary>A store in memory that does what a test tells it before it does what it is asked.</summary>
internal sealed class MemoryStore : IObjectStore
{
    private readonly ConcurrentDictionary<string, (byte[] Bytes, StoredObject About)> _objects = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (string Key, IReadOnlyDictionary<string, string> Metadata, ConcurrentDictionary<int, byte[]> Parts)> _uploads = new(StringComparer.Ordinal);
    private long _tags;

    /// <summary>Called with the name of the call and its key.</summary>
    public Func<string, string, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Called after the call was done and before its answer.</summary>
    public Func<string, string, Task> After { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Keys in the order in which they became visible.</summary>
    public ConcurrentQueue<string> Visible { get; } = new();

    public ConcurrentDictionary<string, int> Calls { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether it does what a condition says.</summary>
    public bool KnowsConditions { get; set; } = true;

    public string Name => "memory";

    public IReadOnlyCollection<string> Keys => [.. _objects.Keys.Order(StringComparer.Ordinal)];

    public int OpenUploads => _uploads.Count;

    public byte[]? Content(string key) => _objects.TryGetValue(key, out var found) ? found.Bytes : null;

    public Task<StoredObject?> HeadAsync(string key, CancellationToken ct) => CallAsync("head", key, () => _objects.TryGetValue(key, out var found) ? found.About : null);

    public Task<StoredObject> PutAsync(string key, ObjectBody body, IReadOnlyDictionary<string, string> metadata, CancellationToken ct, WriteCondition? only = null) => CallAsync("put", key, async () =>
    {
        var bytes = await BytesAsync(body, ct);
        Hold(key, only);
        return Place(key, bytes, metadata);
    });

    public Task DeleteAsync(string key, CancellationToken ct) => CallAsync("delete", key, () => _objects.TryRemove(key, out _));

    public Task<string> BeginUploadAsync(string key, IReadOnlyDictionary<string, string> metadata, CancellationToken ct) => CallAsync("begin", key, () =>
    {
        var id = $"upload-{Interlocked.Increment(ref _tags)}";
        _uploads[id] = (key, metadata, new());
        return id;
    });

    public Task<StoredPart> PutPartAsync(string key, string uploadId, int number, ObjectBody body, CancellationToken ct) => CallAsync("part", key, async () =>
    {
        var bytes = await BytesAsync(body, ct);
        if (!_uploads.TryGetValue(uploadId, out var upload)) throw new StoreException(StoreProblem.NoSuchUpload, "no such upload");
        upload.Parts[number] = bytes;
        return new StoredPart(number, $"part-{number}", body.Crc32);
    });

    public Task CompleteUploadAsync(string key, string uploadId, IReadOnlyCollection<StoredPart> parts, CancellationToken ct, WriteCondition? only = null) => CallAsync("complete", key, () =>
    {
        Hold(key, only);
        if (!_uploads.TryGetValue(uploadId, out var upload)) throw new StoreException(StoreProblem.NoSuchUpload, "no such upload");
        if (parts.Any(part => !upload.Parts.ContainsKey(part.Number))) throw new StoreException(StoreProblem.WrongParts, "a part is missing");
        _uploads.TryRemove(uploadId, out _);
        return Place(key, [.. parts.OrderBy(part => part.Number).SelectMany(part => upload.Parts[part.Number])], upload.Metadata);
    });

    public Task AbortUploadAsync(string key, string uploadId, CancellationToken ct) => CallAsync("abort", key, () => _uploads.TryRemove(uploadId, out _));

    public async IAsyncEnumerable<PendingUpload> ListUploadsAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        await Before("uploads", prefix);
        foreach (var (id, upload) in _uploads) yield return new PendingUpload(upload.Key, id);
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        await Before("list", prefix);
        foreach (var key in Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))) yield return _objects[key].About;
    }

    public Task ReadAsync(string key, long offset, long length, string? etag, Func<ReadOnlyMemory<byte>, ValueTask> sink, CancellationToken ct) => CallAsync("read", key, async () =>
    {
        if (!_objects.TryGetValue(key, out var found)) throw new StoreException(StoreProblem.NotFound, "no such object");
        if (etag is not null && found.About.ETag != etag) throw new StoreException(StoreProblem.Changed, "another one");
        await sink(found.Bytes.AsMemory((int)offset, (int)length));
        return true;
    });

    public StoredObject Place(string key, byte[] bytes, IReadOnlyDictionary<string, string> metadata)
    {
        var about = new StoredObject(key, bytes.Length, $"tag-{Interlocked.Increment(ref _tags)}", Crc32.HashToUInt32(bytes), metadata) { Modified = TimeProvider.System.GetUtcNow() };
        _objects[key] = (bytes, about);
        if (!key.StartsWith(StoreTraits.Probe, StringComparison.Ordinal)) Visible.Enqueue(key);
        return about;
    }

    private void Hold(string key, WriteCondition? only)
    {
        if (KnowsConditions && only is not null && (_objects.TryGetValue(key, out var found) ? found.About.ETag : null) != only.ETag) throw new StoreException(StoreProblem.Changed, "another one");
    }

    private static async Task<byte[]> BytesAsync(ObjectBody body, CancellationToken ct)
    {
        using var bytes = new MemoryStream();
        await body.CopyToAsync(bytes, ct);
        return bytes.ToArray();
    }

    private Task<T> CallAsync<T>(string call, string key, Func<T> work) => CallAsync(call, key, () => Task.FromResult(work()));

    private async Task<T> CallAsync<T>(string call, string key, Func<Task<T>> work)
    {
        Calls.AddOrUpdate(call, 1, (_, count) => count + 1);
        await Before(call, key);
        var result = await work();
        await After(call, key);
        return result;
    }
}
