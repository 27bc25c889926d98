using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Xml;
using System.Xml.Linq;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.S3;
using Amazon.S3.Model;
using Trestle.CacheMount.Journal;

namespace Trestle.CacheMount.Stores;

/// <summary>
/// Objects in a bucket of an S3 service. Control calls go through the AWS SDK; bodies are sent by requests of our own, which need a
/// fraction of its time. Nothing is tried again here, and a connection on which no byte moves is given up.
/// </summary>
internal sealed class S3Store : IObjectStore, IDisposable
{
    private const string MetadataHeader = "x-amz-meta-";
    private readonly S3Options _options;
    private readonly TimeProvider _time;
    private readonly SocketsHttpHandler _handler;
    private readonly HttpClient _http;
    private readonly AmazonS3Client _s3;
    private readonly AWSCredentials _credentials;
    private readonly S3Signer _signer;

    /// <param name="options">Which bucket.</param>
    /// <param name="time">The clock.</param>
    /// <param name="credentials">Whose; the SDK's usual places when null.</param>
    public S3Store(S3Options options, TimeProvider time, AWSCredentials? credentials = null)
    {
        (_options, _time) = (options, time);
        _handler = S3Connection.Handler(options);
        _http = new HttpClient(_handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        _credentials = credentials ?? DefaultAWSCredentialsIdentityResolver.GetCredentials();
        _signer = new S3Signer(options.Region, time);
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.PathStyle,
            MaxErrorRetry = 0,
            MaxStaleConnectionRetries = 0,
            BufferSize = ObjectBody.PieceSize,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            HttpClientFactory = new S3Connection.SdkFactory(_handler),
        };
        if (options.Endpoint is { } endpoint) (config.ServiceURL, config.AuthenticationRegion) = (endpoint.AbsoluteUri, options.Region);
        else config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        _s3 = new AmazonS3Client(_credentials, config);
    }

    /// <inheritdoc/>
    public string Name => $"s3://{_options.Bucket}/{_options.Prefix}";

    /// <inheritdoc/>
    public Task<StoredObject?> HeadAsync(string key, CancellationToken ct) => CallAsync($"looking at {key}", ct: ct, call: async limit =>
    {
        try
        {
            var head = await _s3.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _options.Bucket, Key = _options.Prefix + key, ChecksumMode = ChecksumMode.ENABLED }, limit);
            var metadata = head.Metadata.Keys.ToDictionary(name => name[MetadataHeader.Length..], name => head.Metadata[name], StringComparer.Ordinal);
            return new StoredObject(key, head.ContentLength, head.ETag, head.ChecksumType == ChecksumType.COMPOSITE ? null : Crc(head.ChecksumCRC32), metadata) { Modified = head.LastModified };
        }
        catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotFound && error.ErrorCode != "NoSuchBucket")
        {
            return null;
        }
    });

    /// <inheritdoc/>
    public async Task<StoredObject> PutAsync(string key, ObjectBody body, IReadOnlyDictionary<string, string> metadata, CancellationToken ct, WriteCondition? only = null)
    {
        var (etag, crc) = await SendAsync(key, "", body, metadata, ct, only);
        return new StoredObject(key, body.Length, etag, crc, metadata);
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string key, CancellationToken ct) =>
        CallAsync($"removing {key}", ct: ct, call: limit => _s3.DeleteObjectAsync(_options.Bucket, _options.Prefix + key, limit));

    /// <inheritdoc/>
    public Task<string> BeginUploadAsync(string key, IReadOnlyDictionary<string, string> metadata, CancellationToken ct) => CallAsync($"beginning the upload of {key}", ct: ct, call: async limit =>
    {
        var request = new InitiateMultipartUploadRequest { BucketName = _options.Bucket, Key = _options.Prefix + key, ChecksumAlgorithm = ChecksumAlgorithm.CRC32 };
        foreach (var (name, value) in metadata) request.Metadata.Add(name, value);
        return (await _s3.InitiateMultipartUploadAsync(request, limit)).UploadId;
    });

    /// <inheritdoc/>
    public async Task<StoredPart> PutPartAsync(string key, string uploadId, int number, ObjectBody body, CancellationToken ct)
    {
        var (etag, crc) = await SendAsync(key, $"?partNumber={number}&uploadId={Uri.EscapeDataString(uploadId)}", body, new Dictionary<string, string>(), ct);
        if (crc is { } theirs && theirs != body.Crc32) throw new StoreException(StoreProblem.Unavailable, $"part {number} of {key} arrived damaged") { Code = "checksum" };
        return new StoredPart(number, etag, body.Crc32);
    }

    /// <inheritdoc/>
    public Task CompleteUploadAsync(string key, string uploadId, IReadOnlyCollection<StoredPart> parts, CancellationToken ct, WriteCondition? only = null) => CallAsync($"completing {key}", ct: ct, call: limit =>
        _s3.CompleteMultipartUploadAsync(
            new CompleteMultipartUploadRequest
            {
                BucketName = _options.Bucket,
                Key = _options.Prefix + key,
                UploadId = uploadId,
                IfMatch = only?.ETag,
                IfNoneMatch = only is { ETag: null } ? "*" : null,
                PartETags = [.. parts.Select(part => new PartETag(part.Number, part.ETag) { ChecksumCRC32 = Crc(part.Crc32) })],
            },
            limit));

    /// <inheritdoc/>
    public Task AbortUploadAsync(string key, string uploadId, CancellationToken ct) => CallAsync<object?>($"giving up the upload of {key}", ct: ct, call: async limit =>
    {
        try
        {
            await _s3.AbortMultipartUploadAsync(_options.Bucket, _options.Prefix + key, uploadId, limit);
        }
        catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotFound)
        {
            // it is gone already
        }

        return null;
    });

    /// <inheritdoc/>
    public async IAsyncEnumerable<PendingUpload> ListUploadsAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        var request = new ListMultipartUploadsRequest { BucketName = _options.Bucket, Prefix = _options.Prefix + prefix };
        while (true)
        {
            var page = await CallAsync($"listing uploads of {prefix}", ct: ct, call: limit => _s3.ListMultipartUploadsAsync(request, limit));
            foreach (var upload in page.MultipartUploads ?? []) yield return new PendingUpload(upload.Key[_options.Prefix.Length..], upload.UploadId);
            if (page.IsTruncated != true) yield break;
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        var request = new ListObjectsV2Request { BucketName = _options.Bucket, Prefix = _options.Prefix + prefix };
        while (true)
        {
            var page = await CallAsync($"listing {prefix}", ct: ct, call: limit => _s3.ListObjectsV2Async(request, limit));
            foreach (var found in page.S3Objects ?? []) yield return new StoredObject(found.Key[_options.Prefix.Length..], found.Size ?? 0, found.ETag, null, new Dictionary<string, string>()) { Modified = found.LastModified };
            if (page.IsTruncated != true) yield break;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    /// <inheritdoc/>
    public Task ReadAsync(string key, long offset, long length, string? etag, Func<ReadOnlyMemory<byte>, ValueTask> sink, CancellationToken ct) => WatchedAsync<object?>($"reading {key}", ct: ct, call: async (limit, moved) =>
    {
        if (length == 0) return null;
        var request = new GetObjectRequest { BucketName = _options.Bucket, Key = _options.Prefix + key, ByteRange = new ByteRange(offset, offset + length - 1), EtagToMatch = etag };
        using var answer = await _s3.GetObjectAsync(request, limit);
        var piece = new byte[ObjectBody.PieceSize];
        var left = length;
        while (left > 0)
        {
            var read = await answer.ResponseStream.ReadAsync(piece.AsMemory(0, (int)Math.Min(piece.Length, left)), limit);
            if (read == 0) throw new StoreException(StoreProblem.Unavailable, $"reading {key}: it ended too early") { Code = "truncated" };
            moved();
            await sink(piece.AsMemory(0, read));
            left -= read;
        }

        return null;
    });

    public void Dispose()
    {
        _s3.Dispose();
        _http.Dispose();
        _handler.Dispose();
    }

    private Task<(string ETag, uint? Crc)> SendAsync(string key, string query, ObjectBody body, IReadOnlyDictionary<string, string> metadata, CancellationToken ct, WriteCondition? only = null) => WatchedAsync($"storing {key}", ct: ct, call: async (limit, moved) =>
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(_options.Address.AbsoluteUri + S3Signer.Escape(_options.Prefix + key) + query)) { Content = new S3Body(body, moved) };
        request.Headers.TryAddWithoutValidation("x-amz-checksum-crc32", Crc(body.Crc32));
        foreach (var (name, value) in metadata) request.Headers.TryAddWithoutValidation(MetadataHeader + name, value);
        if (only is not null) request.Headers.TryAddWithoutValidation(only.ETag is null ? "If-None-Match" : "If-Match", only.ETag ?? "*");
        _signer.Sign(request, await _credentials.GetCredentialsAsync());
        using var answer = await _http.SendAsync(request, limit);
        if (!answer.IsSuccessStatusCode) throw await ErrorAsync(answer, $"storing {key} in {Name}", limit);
        var etag = answer.Headers.TryGetValues("ETag", out var tags) ? tags.First() : throw new StoreException(StoreProblem.Unavailable, $"storing {key}: the answer has no ETag");
        return (etag, answer.Headers.TryGetValues("x-amz-checksum-crc32", out var sums) ? Crc(sums.First()) : null);
    });

    private static async Task<StoreException> ErrorAsync(HttpResponseMessage answer, string what, CancellationToken ct)
    {
        var (code, message) = ((string?)null, (string?)null);
        try
        {
            var error = XDocument.Parse(await answer.Content.ReadAsStringAsync(ct)).Root;
            (code, message) = (error?.Element("Code")?.Value, error?.Element("Message")?.Value);
        }
        catch (XmlException)
        {
            // some proxies answer in other words
        }

        return S3Errors.Of(S3Errors.Problem(answer.StatusCode, code), (int)answer.StatusCode, code, message, what);
    }

    private Task<T> CallAsync<T>(string what, Func<CancellationToken, Task<T>> call, CancellationToken ct) => WatchedAsync(what, (limit, _) => call(limit), ct);

    // Gives up when nothing has moved for so long, however long the whole takes.
    private async Task<T> WatchedAsync<T>(string what, Func<CancellationToken, Action, Task<T>> call, CancellationToken ct)
    {
        using var silence = new CancellationTokenSource(_options.Silence, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, ct);
        try
        {
            return await call(either.Token, () => silence.CancelAfter(_options.Silence));
        }
        catch (Exception error) when (!ct.IsCancellationRequested && error is not StoreException && S3Errors.Translate(error, what) is not null)
        {
            throw S3Errors.Translate(error, $"{what} in {Name}")!;
        }
        catch (Exception error) when (ct.IsCancellationRequested && error is not OperationCanceledException)
        {
            throw new OperationCanceledException(error.Message, error, ct);
        }
    }

    private static string Crc(uint crc)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, crc);
        return Convert.ToBase64String(bytes);
    }

    private static uint? Crc(string? text)
    {
        Span<byte> bytes = stackalloc byte[6];
        return text is not null && Convert.TryFromBase64String(text, bytes, out var length) && length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : null;
    }
}
