using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Amazon.Runtime;
using Trestle.CacheMount.Stores;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Integration.Tests.CacheMount;

/// <summary>The S3 client of the cache mount beside a server that can be told to misbehave.</summary>
public sealed class S3StoreTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string> Metadata = new(StringComparer.Ordinal) { ["trestle-write"] = "node-1" };
    private static readonly byte[] Large = RandomNumberGenerator.GetBytes((5 << 20) + 17);
    private FaultyS3 _server = null!;
    private S3Store _store = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyS3.StartAsync();
        _store = Open();
    }

    public async ValueTask DisposeAsync()
    {
        _store.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Objects_with_any_name_are_stored_read_listed_and_removed()
    {
        string[] keys = ["a b", "d/ü ✓", "d/+&=?#%25", "d/(x)'!*~"];
        foreach (var key in keys) (await _store.PutAsync(key, ObjectBody.Of("0123456789"u8.ToArray()), Metadata, CancellationToken.None)).Crc32.ShouldNotBeNull();
        foreach (var key in keys)
        {
            var head = (await _store.HeadAsync(key, CancellationToken.None))!;
            (head.Size, head.Metadata["trestle-write"]).ShouldBe((10L, "node-1"));
            (await ReadAsync(key, 3, 4, head.ETag)).ShouldBe("3456"u8.ToArray());
        }

        (await KeysAsync("d/")).Count.ShouldBe(3);
        _server.Objects.Keys.ShouldBe(keys.Select(key => "team/" + key).Order(StringComparer.Ordinal));
        await _store.DeleteAsync("a b", CancellationToken.None);
        (await _store.HeadAsync("a b", CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task Listings_of_more_than_a_page_are_whole()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 1005), async (index, ct) => await _store.PutAsync($"k{index:0000}", ObjectBody.Of(default), Metadata, ct));
        (await KeysAsync("")).ShouldBe(Enumerable.Range(0, 1005).Select(index => $"k{index:0000}"));
    }

    [Fact]
    public async Task Parts_in_any_order_make_an_object_when_they_are_completed()
    {
        var id = await _store.BeginUploadAsync("a", Metadata, CancellationToken.None);
        var last = await _store.PutPartAsync("a", id, 2, ObjectBody.Of("end"u8.ToArray()), CancellationToken.None);
        var first = await _store.PutPartAsync("a", id, 1, ObjectBody.Of(Large), CancellationToken.None);
        await foreach (var upload in _store.ListUploadsAsync("", CancellationToken.None)) upload.ShouldBe(new PendingUpload("a", id));
        (await ProblemAsync(() => _store.CompleteUploadAsync("a", id, [first with { ETag = "\"0\"" }, last], CancellationToken.None))).ShouldBe(StoreProblem.WrongParts);
        await _store.CompleteUploadAsync("a", id, [first, last], CancellationToken.None);
        (await ReadAsync("a", Large.Length - 2, 5, null)).ShouldBe([.. Large[^2..], .. "end"u8]);
        (await ProblemAsync(() => _store.CompleteUploadAsync("a", id, [first, last], CancellationToken.None))).ShouldBe(StoreProblem.NoSuchUpload);
        await _store.AbortUploadAsync("a", id, CancellationToken.None);
    }

    [Theory]
    [InlineData(S3Fault.Error500, StoreProblem.Unavailable)]
    [InlineData(S3Fault.SlowDown, StoreProblem.SlowDown)]
    [InlineData(S3Fault.Expired, StoreProblem.Denied)]
    [InlineData(S3Fault.Reset, StoreProblem.Unavailable)]
    [InlineData(S3Fault.LostAnswer, StoreProblem.Unavailable)]
    [InlineData(S3Fault.Hang, StoreProblem.Unavailable)]
    public async Task Trouble_of_a_server_is_told_apart(S3Fault fault, object problem)
    {
        var body = ObjectBody.Of("1"u8.ToArray());
        await _store.PutAsync("a", body, Metadata, CancellationToken.None);
        _server.Fault = _ => fault;
        (await ProblemAsync(() => _store.PutAsync("a", body, Metadata, CancellationToken.None))).ShouldBe(problem);
        (await ProblemAsync(() => _store.BeginUploadAsync("a", Metadata, CancellationToken.None))).ShouldBe(problem);
        (await ProblemAsync(() => _store.CompleteUploadAsync("a", "u", [], CancellationToken.None))).ShouldBe(fault == S3Fault.LostAnswer ? StoreProblem.NoSuchUpload : problem);
        _server.Calls.Count.ShouldBe(4); // nothing is tried again in here
    }

    [Fact]
    public async Task A_body_that_ends_too_early_and_an_object_that_was_replaced_are_found_out()
    {
        var put = await _store.PutAsync("a", ObjectBody.Of(Large), Metadata, CancellationToken.None);
        _server.Fault = call => call.Kind == "get" ? S3Fault.Truncated : S3Fault.None;
        (await ProblemAsync(() => ReadAsync("a", 0, Large.Length, put.ETag))).ShouldBe(StoreProblem.Unavailable);
        _server.Fault = _ => S3Fault.None;
        await _store.PutAsync("a", ObjectBody.Of("1"u8.ToArray()), Metadata, CancellationToken.None);
        (await ProblemAsync(() => ReadAsync("a", 0, 1, put.ETag))).ShouldBe(StoreProblem.Changed);
    }

    [Fact]
    public async Task A_missing_bucket_and_wrong_credentials_are_said()
    {
        using var elsewhere = Open(bucket: "none-such");
        var missing = await Should.ThrowAsync<StoreException>(() => elsewhere.PutAsync("a", ObjectBody.Of(default), Metadata, CancellationToken.None));
        (missing.Problem, missing.Message).ShouldBe((StoreProblem.NotFound, "storing a in s3://none-such/team/: NoSuchBucket: told to answer NoSuchBucket"));
        using var stranger = Open(credentials: new BasicAWSCredentials("SOMEBODY", "x"));
        (await ProblemAsync(() => stranger.HeadAsync("a", CancellationToken.None))).ShouldBe(StoreProblem.Denied);
    }

    [Fact]
    public async Task A_certificate_is_trusted_when_its_file_is_given_and_not_otherwise()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var files = new TemporaryDirectory();
        await using var server = await FaultyS3.StartAsync(certificate: X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null));
        using var trusting = Open(server, files.Write("ca.pem", certificate.ExportCertificatePem()));
        await trusting.PutAsync("a", ObjectBody.Of("1"u8.ToArray()), Metadata, CancellationToken.None);
        (await trusting.HeadAsync("a", CancellationToken.None))!.Size.ShouldBe(1);
        using var doubting = Open(server);
        (await ProblemAsync(() => doubting.HeadAsync("a", CancellationToken.None))).ShouldBe(StoreProblem.Unavailable);
    }

    private S3Store Open(FaultyS3? server = null, string? certificate = null, string bucket = FaultyS3.Bucket, AWSCredentials? credentials = null) => new(
        new S3Options(bucket, "team/") { Endpoint = (server ?? _server).Endpoint, PathStyle = true, CertificateFile = certificate, Silence = TimeSpan.FromSeconds(3) },
        TimeProvider.System,
        credentials ?? new BasicAWSCredentials(FaultyS3.AccessKey, FaultyS3.SecretKey));

    private static async Task<StoreProblem> ProblemAsync(Func<Task> call) => (await Should.ThrowAsync<StoreException>(call)).Problem;

    private async Task<List<string>> KeysAsync(string prefix)
    {
        var keys = new List<string>();
        await foreach (var found in _store.ListAsync(prefix, CancellationToken.None)) keys.Add(found.Key);
        return keys;
    }

    private async Task<byte[]> ReadAsync(string key, long offset, long length, string? etag)
    {
        var bytes = new List<byte>();
        await _store.ReadAsync(key, offset, length, etag, piece =>
        {
            bytes.AddRange(piece.Span);
            return ValueTask.CompletedTask;
        }, CancellationToken.None);
        return [.. bytes];
    }
}
