using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Stores;

/// <summary>
/// Objects as files of a directory (one machine, NFS). An object comes into place by rename, so that it is visible as a whole; what is
/// known of it besides its bytes lies in <c>.trestle/objects/</c>, uploads in <c>.trestle/uploads/</c>.
/// </summary>
/// <param name="root">The directory.</param>
internal sealed class DirectoryStore(string root) : IObjectStore
{
    /// <summary>Keys below it that are no objects.</summary>
    private const string Hidden = ".trestle/objects/";
    private const string UploadFolder = ".trestle/uploads/";

    public string Name => root;

    public Task<StoredObject?> HeadAsync(string key, CancellationToken ct) => Task.Run(() => Guarded(() => Head(key)), ct);

    public async Task<StoredObject> PutAsync(string key, ObjectBody body, IReadOnlyDictionary<string, string> metadata, CancellationToken ct, WriteCondition? only = null)
    {
        var upload = await BeginUploadAsync(key, metadata, ct);
        var part = await PutPartAsync(key, upload, 1, body, ct);
        await CompleteUploadAsync(key, upload, [part], ct, only);
        return await HeadAsync(key, ct) ?? throw new StoreException(StoreProblem.Unavailable, $"{key} was replaced while it was stored");
    }

    public Task DeleteAsync(string key, CancellationToken ct) => Task.Run(() => Guarded<object?>(() =>
    {
        File.Delete(PathOf(key));
        File.Delete(PathOf(Hidden + key));
        return null;
    }), ct);

    public Task<string> BeginUploadAsync(string key, IReadOnlyDictionary<string, string> metadata, CancellationToken ct) => Task.Run(() => Guarded(() =>
    {
        var id = Guid.NewGuid().ToString("N");
        Directory.CreateDirectory(PathOf(UploadFolder + id));
        WriteWhole(PathOf(UploadFolder + id + "/object"), JsonSerializer.SerializeToUtf8Bytes(new DirectoryObject(key, "", null, new(metadata)), DirectoryStoreJson.Default.DirectoryObject));
        return id;
    }), ct);

    public Task<StoredPart> PutPartAsync(string key, string uploadId, int number, ObjectBody body, CancellationToken ct) => GuardedAsync(async () =>
    {
        if (!Directory.Exists(PathOf(UploadFolder + uploadId))) throw NoUpload(key);
        var path = PartPath(uploadId, number);
        await using (var part = new FileStream(path + ".new", FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0))
        {
            await body.CopyToAsync(part, ct);
            part.Flush(flushToDisk: true);
        }

        Libc.Rename(path + ".new", path);
        return new StoredPart(number, body.Crc32.ToString("x8", CultureInfo.InvariantCulture), body.Crc32);
    });

    public Task CompleteUploadAsync(string key, string uploadId, IReadOnlyCollection<StoredPart> parts, CancellationToken ct, WriteCondition? only = null) => GuardedAsync<object?>(async () =>
    {
        var folder = PathOf(UploadFolder + uploadId);
        if (!File.Exists(folder + "/object")) throw NoUpload(key);
        var about = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(folder + "/object", ct), DirectoryStoreJson.Default.DirectoryObject)!;
        if (!parts.All(part => File.Exists(PartPath(uploadId, part.Number)))) throw new StoreException(StoreProblem.WrongParts, $"parts of {key} are missing in the store");
        var whole = folder + "/whole";
        await using (var file = new FileStream(whole, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0))
        {
            foreach (var part in parts.OrderBy(part => part.Number))
            {
                await using var from = File.OpenRead(PartPath(uploadId, part.Number));
                await from.CopyToAsync(file, ct);
            }

            file.Flush(flushToDisk: true);
        }

        if (only is not null && Head(key)?.ETag != only.ETag)
        {
            Directory.Delete(folder, recursive: true);
            throw new StoreException(StoreProblem.Changed, $"{key} is another one now");
        }

        // The name of the upload is new with every version, as the tag of an object is.
        Place(PathOf(Hidden + key), JsonSerializer.SerializeToUtf8Bytes(about with { ETag = uploadId, Inode = Libc.Stat(whole)!.Value.File.Inode }, DirectoryStoreJson.Default.DirectoryObject));
        MakeParent(PathOf(key));
        Libc.Rename(whole, PathOf(key));
        Libc.SyncDirectory(Path.GetDirectoryName(PathOf(key))!);
        Directory.Delete(folder, recursive: true);
        return null;
    });

    public Task AbortUploadAsync(string key, string uploadId, CancellationToken ct) => Task.Run(() => Guarded<object?>(() =>
    {
        if (Directory.Exists(PathOf(UploadFolder + uploadId))) Directory.Delete(PathOf(UploadFolder + uploadId), recursive: true);
        return null;
    }), ct);

    public async IAsyncEnumerable<PendingUpload> ListUploadsAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        if (!Directory.Exists(PathOf(UploadFolder))) yield break;
        foreach (var folder in Directory.GetDirectories(PathOf(UploadFolder)).Where(folder => File.Exists(folder + "/object")))
        {
            var about = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(folder + "/object", ct), DirectoryStoreJson.Default.DirectoryObject)!;
            if (about.Key.StartsWith(prefix, StringComparison.Ordinal)) yield return new PendingUpload(about.Key, Path.GetFileName(folder));
        }
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        var below = PathOf(prefix[..(prefix.LastIndexOf('/') + 1)]);
        if (!Directory.Exists(below)) yield break;
        var keys = await Task.Run(() => Directory.GetFiles(below, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(root, file)).ToList(), ct);
        foreach (var key in keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && !key.StartsWith(Hidden, StringComparison.Ordinal) && !key.StartsWith(UploadFolder, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            if (await HeadAsync(key, ct) is { } found) yield return found;
        }
    }

    public Task ReadAsync(string key, long offset, long length, string? etag, Func<ReadOnlyMemory<byte>, ValueTask> sink, CancellationToken ct) => GuardedAsync<object?>(async () =>
    {
        using var file = File.OpenHandle(PathOf(key), share: FileShare.ReadWrite | FileShare.Delete);
        var head = Head(key);
        if (etag is not null && (head?.ETag != etag || Libc.Stat(file).File.Inode != Libc.Stat(PathOf(key))?.File.Inode)) throw new StoreException(StoreProblem.Changed, $"{key} is another one now");
        var piece = new byte[ObjectBody.PieceSize];
        for (var done = 0L; done < length;)
        {
            var read = await RandomAccess.ReadAsync(file, piece.AsMemory(0, (int)Math.Min(piece.Length, length - done)), offset + done, ct);
            if (read == 0) throw new StoreException(StoreProblem.Corrupt, $"{key} ends too early");
            await sink(piece.AsMemory(0, read));
            done += read;
        }

        return null;
    });

    // What lies beside the file speaks of it only when it is the same file: others may write into the directory too.
    private StoredObject? Head(string key)
    {
        if (Libc.Stat(PathOf(key)) is not { Kind: EntryKind.File } entry) return null;
        var about = File.Exists(PathOf(Hidden + key)) ? JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(Hidden + key)), DirectoryStoreJson.Default.DirectoryObject) : null;
        return about?.Inode == entry.File.Inode
            ? new StoredObject(key, entry.File.Size, about.ETag, null, about.Metadata) { Modified = DateTimeOffset.UnixEpoch.AddTicks(entry.File.ModifiedNs / 100) }
            : new StoredObject(key, entry.File.Size, $"{entry.File.Inode:x}-{entry.File.ModifiedNs:x}", null, new Dictionary<string, string>()) { Modified = DateTimeOffset.UnixEpoch.AddTicks(entry.File.ModifiedNs / 100) };
    }

    private string PathOf(string key) => Path.Combine(root, key);

    private string PartPath(string uploadId, int number) => PathOf($"{UploadFolder}{uploadId}/part-{number.ToString(CultureInfo.InvariantCulture)}");

    private static void Place(string path, byte[] bytes)
    {
        MakeParent(path);
        WriteWhole(path, bytes);
    }

    private static void MakeParent(string path) => Directory.CreateDirectory(Path.GetDirectoryName(path)!);

    private static void WriteWhole(string path, byte[] bytes)
    {
        var fresh = $"{path}.{Guid.NewGuid():N}.new";
        File.WriteAllBytes(fresh, bytes);
        Libc.Rename(fresh, path);
    }

    private static StoreException NoUpload(string key) => new(StoreProblem.NoSuchUpload, $"the upload of {key} is not in the store");

    private static Task<T> GuardedAsync<T>(Func<Task<T>> work) => Task.Run(async () =>
    {
        try
        {
            return await work();
        }
        catch (Exception error) when (error is IOException and not EndOfStreamException or UnauthorizedAccessException)
        {
            throw Translated(error);
        }
    });

    private static T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (DirectoryNotFoundException)
        {
            return default!;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Translated(error);
        }
    }

    private static StoreException Translated(Exception error) => error switch
    {
        FileNotFoundException or DirectoryNotFoundException => new StoreException(StoreProblem.NotFound, error.Message, error),
        UnauthorizedAccessException => new StoreException(StoreProblem.Denied, error.Message, error),
        _ => new StoreException(StoreProblem.Unavailable, error.Message, error),
    };
}

/// <summary>What is known of an object besides its bytes.</summary>
internal sealed record DirectoryObject(string Key, string ETag, ulong? Inode, Dictionary<string, string> Metadata);

[JsonSerializable(typeof(DirectoryObject))]
internal sealed partial class DirectoryStoreJson : JsonSerializerContext;
