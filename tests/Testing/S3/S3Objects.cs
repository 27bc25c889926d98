using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;

// The ETag of S3 is an MD5 sum.
#pragma warning disable CA5351

namespace Trestle.Testing.S3;

/// <summary>An object of the server.</summary>
public sealed record S3Object(byte[] Bytes, long Size, string ETag, IReadOnlyDictionary<string, string> Metadata)
{
    public DateTimeOffset Modified { get; } = TimeProvider.System.GetUtcNow();
}

/// <summary>What a server has. In discard mode it keeps no bytes, only sizes and tags.</summary>
/// <param name="discard">True: no bytes are kept.</param>
public sealed class S3Objects(bool discard)
{
    private readonly ConcurrentDictionary<string, S3Object> _objects = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Upload> _uploads = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _visible = new();
    private int _names;

    /// <summary>Keys in the order in which they became visible; a removed one with a minus before it.</summary>
    public IReadOnlyList<string> Visible => [.. _visible];

    public IReadOnlyList<string> Keys => [.. _objects.Keys.Order(StringComparer.Ordinal)];

    public int OpenUploads => _uploads.Count;

    public S3Object? this[string key] => _objects.GetValueOrDefault(key);

    internal string Put(string key, byte[] bytes, IReadOnlyDictionary<string, string> metadata)
    {
        var etag = Tag(bytes);
        Place(key, new S3Object(discard ? [] : bytes, bytes.Length, etag, metadata));
        return etag;
    }

    internal void Delete(string key)
    {
        if (_objects.TryRemove(key, out _)) _visible.Enqueue("-" + key);
    }

    internal string Begin(string key, IReadOnlyDictionary<string, string> metadata)
    {
        var id = "upload-" + Interlocked.Increment(ref _names).ToString(CultureInfo.InvariantCulture);
        _uploads[id] = new Upload(key, metadata, new());
        return id;
    }

    internal string? PutPart(string id, int number, byte[] bytes)
    {
        if (!_uploads.TryGetValue(id, out var upload)) return null;
        var etag = Tag(bytes);
        upload.Parts[number] = new Part(discard ? [] : bytes, bytes.Length, etag);
        return etag;
    }

    /// <summary>The ETag; null: no such upload; empty: wrong parts.</summary>
    internal string? Complete(string id, IReadOnlyList<(int Number, string ETag)> parts)
    {
        if (!_uploads.TryGetValue(id, out var upload)) return null;
        if (parts.Count == 0 || parts.Any(part => !upload.Parts.TryGetValue(part.Number, out var had) || had.ETag != part.ETag)) return "";
        var had = parts.OrderBy(part => part.Number).Select(part => upload.Parts[part.Number]).ToList();
        if (had.SkipLast(1).Any(part => part.Size < 5 << 20)) return ""; // as S3 does
        var etag = $"\"{Convert.ToHexStringLower(MD5.HashData([.. had.SelectMany(part => Convert.FromHexString(part.ETag.Trim('"')))]))}-{had.Count}\"";
        Place(upload.Key, new S3Object(Joined(had), had.Sum(part => (long)part.Size), etag, upload.Metadata));
        _uploads.TryRemove(id, out _);
        return etag;
    }

    internal bool Abort(string id) => _uploads.TryRemove(id, out _);

    internal IEnumerable<(string Key, string Id)> Uploads() => _uploads.Select(upload => (upload.Value.Key, upload.Key));

    private void Place(string key, S3Object made)
    {
        _objects[key] = made;
        _visible.Enqueue(key);
    }

    private static byte[] Joined(List<Part> parts)
    {
        using var whole = new MemoryStream(parts.Sum(part => part.Bytes.Length));
        foreach (var part in parts) whole.Write(part.Bytes);
        return whole.ToArray();
    }

    private static string Tag(byte[] bytes) => $"\"{Convert.ToHexStringLower(MD5.HashData(bytes))}\"";

    private sealed record Part(byte[] Bytes, int Size, string ETag);

    private sealed record Upload(string Key, IReadOnlyDictionary<string, string> Metadata, ConcurrentDictionary<int, Part> Parts);
}
