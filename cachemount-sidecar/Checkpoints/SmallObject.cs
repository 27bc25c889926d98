using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>Objects of ours that are read and written as a whole.</summary>
internal static class SmallObject
{
    /// <summary>Most bytes: a manifest of some hundred thousand files.</summary>
    public const long MaxSize = 64 << 20;

    /// <summary>Reads one that was listed; null when it is larger than any of ours.</summary>
    /// <exception cref="StoreException">The store failed, or it has changed since.</exception>
    public static async Task<byte[]?> ReadAsync(IObjectStore store, StoredObject listed, CancellationToken ct)
    {
        if (listed.Size > MaxSize) return null;
        var bytes = new byte[listed.Size];
        var at = 0;
        await store.ReadAsync(listed.Key, 0, listed.Size, listed.ETag, piece =>
        {
            piece.CopyTo(bytes.AsMemory(at));
            at += piece.Length;
            return ValueTask.CompletedTask;
        }, ct);
        return bytes;
    }

    /// <summary>Writes one and holds the store to it.</summary>
    public static async Task<StoredObject> WriteAsync(IObjectStore store, string key, ReadOnlyMemory<byte> bytes, IReadOnlyDictionary<string, string> metadata, CancellationToken ct)
    {
        var body = ObjectBody.Of(bytes);
        var stored = await store.PutAsync(key, body, metadata, ct);
        if (stored.Crc32 is null) stored = await store.HeadAsync(key, ct) ?? stored;
        return stored.Size == body.Length && (stored.Crc32 ?? body.Crc32) == body.Crc32 ? stored : throw new StoreException(StoreProblem.Unavailable, $"{key} arrived damaged; it is sent again") { Code = "checksum" };
    }
}
