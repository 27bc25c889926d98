using System.Text;
using Trestle.CacheMount.Stores;
using Trestle.Testing;

namespace Trestle.CacheMount.Tests.Stores;

public sealed class DirectoryStoreTests : IDisposable
{
    private static readonly Dictionary<string, string> Metadata = new(StringComparer.Ordinal) { ["trestle-write"] = "node-1" };
    private readonly TemporaryDirectory _root = new();
    private readonly DirectoryStore _store;

    public DirectoryStoreTests() => _store = new DirectoryStore(_root.FullName);

    public void Dispose() => _root.Dispose();

    [Fact]
    public async Task An_object_is_a_file_that_comes_into_place_as_a_whole()
    {
        var id = await _store.BeginUploadAsync("d/a", Metadata, CancellationToken.None);
        var second = await _store.PutPartAsync("d/a", id, 2, ObjectBody.Of("world"u8.ToArray()), CancellationToken.None);
        var first = await _store.PutPartAsync("d/a", id, 1, ObjectBody.Of("hello "u8.ToArray()), CancellationToken.None);
        (await _store.HeadAsync("d/a", CancellationToken.None)).ShouldBeNull();
        await _store.CompleteUploadAsync("d/a", id, [first, second], CancellationToken.None);
        (await File.ReadAllTextAsync(_root["d/a"], TestContext.Current.CancellationToken)).ShouldBe("hello world");
        var head = (await _store.HeadAsync("d/a", CancellationToken.None))!;
        (head.Size, head.Metadata["trestle-write"]).ShouldBe((11L, "node-1"));
        (await Should.ThrowAsync<StoreException>(() => _store.CompleteUploadAsync("d/a", id, [first, second], CancellationToken.None))).Problem.ShouldBe(StoreProblem.NoSuchUpload);
    }

    [Fact]
    public async Task A_range_is_read_only_of_the_object_that_was_meant()
    {
        var put = await _store.PutAsync("a", ObjectBody.Of("0123456789"u8.ToArray()), Metadata, CancellationToken.None);
        (await ReadAsync("a", 3, 4, put.ETag)).ShouldBe("3456");
        await _store.PutAsync("a", ObjectBody.Of("abcdefghij"u8.ToArray()), Metadata, CancellationToken.None);
        (await Should.ThrowAsync<StoreException>(() => ReadAsync("a", 3, 4, put.ETag))).Problem.ShouldBe(StoreProblem.Changed);
        (await Should.ThrowAsync<StoreException>(() => ReadAsync("none", 0, 1, null))).Problem.ShouldBe(StoreProblem.NotFound);
    }

    [Fact]
    public async Task Listings_hold_objects_and_nothing_of_ours()
    {
        foreach (var key in new[] { "b", "a/2", "a/1", ".trestle/checkpoints/x.json" }) await _store.PutAsync(key, ObjectBody.Of("1"u8.ToArray()), Metadata, CancellationToken.None);
        await _store.BeginUploadAsync("a/3", Metadata, CancellationToken.None);
        (await KeysAsync("")).ShouldBe([".trestle/checkpoints/x.json", "a/1", "a/2", "b"]);
        (await KeysAsync("a/")).ShouldBe(["a/1", "a/2"]);
        (await KeysAsync(".trestle/checkpoints/")).ShouldBe([".trestle/checkpoints/x.json"]);
        await _store.DeleteAsync("b", CancellationToken.None);
        await _store.DeleteAsync("b", CancellationToken.None);
        (await KeysAsync("b")).ShouldBeEmpty();
        var uploads = new List<PendingUpload>();
        await foreach (var upload in _store.ListUploadsAsync("", CancellationToken.None)) uploads.Add(upload);
        await _store.AbortUploadAsync("a/3", uploads.Single().UploadId, CancellationToken.None);
        (await Should.ThrowAsync<StoreException>(() => _store.PutPartAsync("a/3", uploads.Single().UploadId, 1, ObjectBody.Of(default), CancellationToken.None))).Problem.ShouldBe(StoreProblem.NoSuchUpload);
    }

    private async Task<List<string>> KeysAsync(string prefix)
    {
        var keys = new List<string>();
        await foreach (var found in _store.ListAsync(prefix, CancellationToken.None)) keys.Add(found.Key);
        return keys;
    }

    private async Task<string> ReadAsync(string key, long offset, long length, string? etag)
    {
        var bytes = new List<byte>();
        await _store.ReadAsync(key, offset, length, etag, piece =>
        {
            bytes.AddRange(piece.Span);
            return ValueTask.CompletedTask;
        }, CancellationToken.None);
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
