using Trestle.CacheMount.Journal;

namespace Trestle.CacheMount.Stores;

/// <summary>An object as the store shows it.</summary>
/// <param name="Key">Its key, without the storage's prefix.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ETag">The store's tag of this content.</param>
/// <param name="Crc32">Of the content, where the store says it.</param>
/// <param name="Metadata">What was stored with it; empty in a listing.</param>
internal sealed record StoredObject(string Key, long Size, string ETag, uint? Crc32, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>When it was stored, where the store says it.</summary>
    public DateTimeOffset? Modified { get; init; }
}

/// <summary>What must be so for an object to be written. A store that knows no conditions writes it all the same.</summary>
/// <param name="ETag">The key must have this object; null: it must have none.</param>
internal sealed record WriteCondition(string? ETag);

/// <summary>An upload in parts that is neither completed nor aborted.</summary>
internal sealed record PendingUpload(string Key, string UploadId);

/// <summary>
/// Where objects are. Keys are relative to the storage's prefix. An object is visible as a whole or not at all. Every method may
/// throw a <see cref="StoreException"/>; none tries again by itself.
/// </summary>
internal interface IObjectStore
{
    /// <summary>What it is, for people, e.g. s3://bucket/prefix.</summary>
    string Name { get; }

    /// <summary>The object; null when there is none.</summary>
    Task<StoredObject?> HeadAsync(string key, CancellationToken ct);

    /// <summary>Stores an object in one go. What is not as the condition says is <see cref="StoreProblem.Changed"/>.</summary>
    Task<StoredObject> PutAsync(string key, ObjectBody body, IReadOnlyDictionary<string, string> metadata, CancellationToken ct, WriteCondition? only = null);

    /// <summary>Removes an object; one that is not there counts as removed.</summary>
    Task DeleteAsync(string key, CancellationToken ct);

    /// <summary>Begins an upload in parts.</summary>
    Task<string> BeginUploadAsync(string key, IReadOnlyDictionary<string, string> metadata, CancellationToken ct);

    /// <summary>Stores a part.</summary>
    /// <param name="key">Of the object.</param>
    /// <param name="uploadId">Of the upload.</param>
    /// <param name="number">From 1.</param>
    /// <param name="body">Its bytes.</param>
    /// <param name="ct">Ends it.</param>
    Task<StoredPart> PutPartAsync(string key, string uploadId, int number, ObjectBody body, CancellationToken ct);

    /// <summary>Makes the object visible. What is not as the condition says is <see cref="StoreProblem.Changed"/>.</summary>
    Task CompleteUploadAsync(string key, string uploadId, IReadOnlyCollection<StoredPart> parts, CancellationToken ct, WriteCondition? only = null);

    /// <summary>Gives an upload up; one that is not there counts as given up.</summary>
    Task AbortUploadAsync(string key, string uploadId, CancellationToken ct);

    /// <summary>Uploads that were begun and not ended, of keys that start so.</summary>
    IAsyncEnumerable<PendingUpload> ListUploadsAsync(string prefix, CancellationToken ct);

    /// <summary>Objects whose keys start so, in order.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken ct);

    /// <summary>Reads a range of the object with this tag.</summary>
    /// <param name="key">Of the object.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes; all of them are given or it fails.</param>
    /// <param name="etag">The object must still be this one; null: any.</param>
    /// <param name="sink">Takes the bytes as they come.</param>
    /// <param name="ct">Ends it.</param>
    Task ReadAsync(string key, long offset, long length, string? etag, Func<ReadOnlyMemory<byte>, ValueTask> sink, CancellationToken ct);
}
