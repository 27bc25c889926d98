using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography.X509Certificates;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Trestle.Testing.S3;

/// <summary>
/// An S3 server in this process, for one bucket, that does what a test tells it to instead of what it should. It does what the cache mount
/// uses: objects, uploads in parts, listings, ranges, conditions, and CRC-32 of what is sent.
/// </summary>
public sealed class FaultyS3 : IAsyncDisposable
{
    public const string Bucket = "checkpoints";
    public const string AccessKey = "AKIDTEST";
    public const string SecretKey = "not-a-secret";

    private static readonly XNamespace Ns = "http://s3.amazonaws.com/doc/2006-03-01/";
    private readonly WebApplication _app;

    private FaultyS3(WebApplication app, bool discard)
    {
        (_app, Objects) = (app, new S3Objects(discard));
        app.Run(AnswerAsync);
    }

    public S3Objects Objects { get; }

    public Uri Endpoint => new(_app.Urls.First());

    /// <summary>What to do instead.</summary>
    public Func<S3Call, S3Fault> Fault { get; set; } = _ => S3Fault.None;

    /// <summary>Waited for before every answer.</summary>
    public Func<S3Call, Task> Delay { get; set; } = _ => Task.CompletedTask;

    /// <summary>All requests so far.</summary>
    public ConcurrentQueue<S3Call> Calls { get; } = new();

    /// <summary>Whether the answers to puts and parts hold checksums.</summary>
    public bool KnowsChecksums { get; set; } = true;

    /// <summary>Whether it writes only where a condition holds; some servers write all the same.</summary>
    public bool KnowsConditions { get; set; } = true;

    /// <summary>What a process needs to be let in.</summary>
    public static IReadOnlyDictionary<string, string?> Credentials { get; } = new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["AWS_ACCESS_KEY_ID"] = AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = SecretKey,
        ["AWS_EC2_METADATA_DISABLED"] = "true",
    };

    public static async Task<FaultyS3> StartAsync(bool discard = false, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen =>
            {
                if (certificate is not null) listen.UseHttps(certificate);
            });
        });
        if (certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        var server = new FaultyS3(builder.Build(), discard);
        await server._app.StartAsync();
        return server;
    }

    /// <summary>Somebody else puts another content in the place of an object.</summary>
    public void Replace(string key, byte[] bytes) => Objects.Put(key, bytes, new Dictionary<string, string>(StringComparer.Ordinal));

    public int Count(string kind) => Calls.Count(call => call.Kind == kind);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var call = Read(context.Request);
        Calls.Enqueue(call);
        await Delay(call);
        var fault = Fault(call);
        if (fault is S3Fault.Reset) context.Abort();
        else if (fault is S3Fault.Hang) await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        else if (fault is S3Fault.Error500) await RefuseAsync(context, 500, "InternalError");
        else if (fault is S3Fault.SlowDown) await RefuseAsync(context, 503, "SlowDown");
        else if (fault is S3Fault.Denied) await RefuseAsync(context, 403, "AccessDenied");
        else if (fault is S3Fault.Expired) await RefuseAsync(context, 403, "ExpiredToken");
        else if (!context.Request.Headers.Authorization.ToString().Contains(AccessKey, StringComparison.Ordinal)) await RefuseAsync(context, 403, "InvalidAccessKeyId");
        else if (!IsInBucket(context.Request)) await RefuseAsync(context, 404, "NoSuchBucket");
        else await DoAsync(context, call, fault);
    }

    private Task DoAsync(HttpContext context, S3Call call, S3Fault fault) => call.Kind switch
    {
        "put" or "part" => TakeAsync(context, call, fault),
        "head" or "get" => GiveAsync(context, call, fault),
        "delete" => EndAsync(context, 204, null, fault, () => Objects.Delete(call.Key)),
        "abort" => Objects.Abort(context.Request.Query["uploadId"]!) ? EndAsync(context, 204, null, fault) : RefuseAsync(context, 404, "NoSuchUpload"),
        "begin" => EndAsync(context, 200, new XElement(Ns + "InitiateMultipartUploadResult", new XElement(Ns + "Bucket", Bucket), new XElement(Ns + "Key", call.Key), new XElement(Ns + "UploadId", Objects.Begin(call.Key, Metadata(context.Request)))), fault),
        "complete" => CompleteAsync(context, call, fault),
        "list" => EndAsync(context, 200, Listing(context.Request), fault),
        "uploads" => EndAsync(context, 200, new XElement(Ns + "ListMultipartUploadsResult", new XElement(Ns + "IsTruncated", "false"),
            Objects.Uploads().Where(upload => upload.Key.StartsWith(call.Key, StringComparison.Ordinal)).Select(upload => new XElement(Ns + "Upload", new XElement(Ns + "Key", upload.Key), new XElement(Ns + "UploadId", upload.Id)))), fault),
        _ => RefuseAsync(context, 501, "NotImplemented"),
    };

    private async Task TakeAsync(HttpContext context, S3Call call, S3Fault fault)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var bytes = body.ToArray();
        var crc = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(crc, Crc32.HashToUInt32(bytes));
        var named = context.Request.Headers["x-amz-checksum-crc32"].ToString();
        if (named.Length > 0 && named != Convert.ToBase64String(crc))
        {
            await RefuseAsync(context, 400, "BadDigest");
            return;
        }

        if (!Holds(context.Request, call.Key))
        {
            await RefuseAsync(context, 412, "PreconditionFailed");
            return;
        }

        if (fault == S3Fault.Truncated) bytes = bytes[..(bytes.Length / 2)];
        var etag = call.Kind == "put" ? Objects.Put(call.Key, bytes, Metadata(context.Request)) : Objects.PutPart(context.Request.Query["uploadId"]!, call.Part, bytes);
        if (etag is null)
        {
            await RefuseAsync(context, 404, "NoSuchUpload");
            return;
        }

        context.Response.Headers.ETag = fault == S3Fault.LyingETag ? "\"00000000000000000000000000000000\"" : etag;
        if (KnowsChecksums && named.Length > 0 && fault != S3Fault.Truncated) context.Response.Headers["x-amz-checksum-crc32"] = named;
        await EndAsync(context, 200, null, fault);
    }

    private async Task GiveAsync(HttpContext context, S3Call call, S3Fault fault)
    {
        if (Objects[call.Key] is not { } found)
        {
            await RefuseAsync(context, 404, "NoSuchKey");
            return;
        }

        if (context.Request.Headers.IfMatch.ToString() is { Length: > 0 } wanted && wanted.Trim('"') != found.ETag.Trim('"'))
        {
            await RefuseAsync(context, 412, "PreconditionFailed");
            return;
        }

        var (offset, length) = (0L, found.Size);
        if (context.Request.GetTypedHeaders().Range?.Ranges.FirstOrDefault() is { From: { } from } range)
        {
            (offset, length) = (from, Math.Min(range.To ?? found.Size - 1, found.Size - 1) - from + 1);
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{from + length - 1}/{found.Size}";
        }

        context.Response.Headers.ETag = found.ETag;
        context.Response.Headers.LastModified = found.Modified.ToString("R", CultureInfo.InvariantCulture);
        foreach (var (name, value) in found.Metadata) context.Response.Headers["x-amz-meta-" + name] = value;
        context.Response.ContentLength = length;
        if (call.Kind == "head") return;
        var bytes = found.Bytes.AsMemory((int)offset, (int)length);
        await context.Response.Body.WriteAsync(fault == S3Fault.Truncated ? bytes[..(bytes.Length / 2)] : bytes);
        if (fault is S3Fault.Truncated) context.Abort();
    }

    private async Task CompleteAsync(HttpContext context, S3Call call, S3Fault fault)
    {
        var body = await XDocument.LoadAsync(context.Request.Body, LoadOptions.None, context.RequestAborted);
        var parts = body.Descendants().Where(element => element.Name.LocalName == "Part")
            .Select(part => (int.Parse(Value(part, "PartNumber"), CultureInfo.InvariantCulture), Value(part, "ETag"))).ToList();
        if (!Holds(context.Request, call.Key))
        {
            await RefuseAsync(context, 412, "PreconditionFailed");
            return;
        }

        var etag = Objects.Complete(context.Request.Query["uploadId"]!, parts);
        if (etag is null) await RefuseAsync(context, 404, "NoSuchUpload");
        else if (etag.Length == 0) await RefuseAsync(context, 400, "InvalidPart");
        else await EndAsync(context, 200, new XElement(Ns + "CompleteMultipartUploadResult", new XElement(Ns + "Key", call.Key), new XElement(Ns + "ETag", etag)), fault);
    }

    private bool Holds(HttpRequest request, string key) => !KnowsConditions
        || ((request.Headers.IfNoneMatch.Count == 0 || Objects[key] is null) && (request.Headers.IfMatch.Count == 0 || Objects[key]?.ETag.Trim('"') == request.Headers.IfMatch.ToString().Trim('"')));

    private XElement Listing(HttpRequest request)
    {
        // The older listing, which some clients use, calls it marker.
        var after = new[] { "continuation-token", "start-after", "marker" }.Select(name => request.Query[name].ToString()).FirstOrDefault(value => value.Length > 0) ?? "";
        var keys = Objects.Keys.Where(key => key.StartsWith(request.Query["prefix"].ToString(), StringComparison.Ordinal) && string.CompareOrdinal(key, after) > 0).Take(1001).ToList();
        var page = keys.Take(1000).ToList();
        return new XElement(Ns + "ListBucketResult",
            new XElement(Ns + "IsTruncated", keys.Count > page.Count ? "true" : "false"),
            keys.Count > page.Count ? new XElement(Ns + "NextContinuationToken", page[^1]) : null,
            page.Select(key => (Key: key, Found: Objects[key])).Where(entry => entry.Found is not null).Select(entry =>
                new XElement(Ns + "Contents", new XElement(Ns + "Key", entry.Key), new XElement(Ns + "ETag", entry.Found!.ETag), new XElement(Ns + "Size", entry.Found.Size), new XElement(Ns + "LastModified", "2026-01-01T00:00:00.000Z"))));
    }

    private static async Task EndAsync(HttpContext context, int status, XElement? body, S3Fault fault, Action? work = null)
    {
        work?.Invoke();
        if (fault == S3Fault.LostAnswer)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        if (body is null) return;
        context.Response.ContentType = "application/xml";
        await context.Response.WriteAsync(body.ToString());
    }

    private static Task RefuseAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml";
        return context.Request.Method == "HEAD" ? Task.CompletedTask : context.Response.WriteAsync(new XElement("Error", new XElement("Code", code), new XElement("Message", $"told to answer {code}")).ToString());
    }

    private static S3Call Read(HttpRequest request)
    {
        var key = request.Path.Value!.Split('/', 3) is [_, _, var rest] ? rest : "";
        var query = request.Query;
        _ = int.TryParse(query["partNumber"], NumberStyles.None, CultureInfo.InvariantCulture, out var part);
        var kind = (request.Method, query.ContainsKey("uploadId"), query.ContainsKey("uploads")) switch
        {
            ("PUT", true, _) => "part",
            ("PUT", false, _) => "put",
            ("POST", true, _) => "complete",
            ("POST", false, true) => "begin",
            ("DELETE", true, _) => "abort",
            ("DELETE", false, _) => "delete",
            ("HEAD", _, _) => "head",
            ("GET", true, _) => "parts",
            ("GET", _, true) => "uploads",
            ("GET", _, _) => key.Length == 0 ? "list" : "get",
            _ => "other",
        };
        return new S3Call(kind, kind is "list" or "uploads" ? query["prefix"].ToString() : key, part);
    }

    private static bool IsInBucket(HttpRequest request) => request.Path.Value!.TrimEnd('/') == "/" + Bucket || request.Path.Value.StartsWith($"/{Bucket}/", StringComparison.Ordinal);

    private static string Value(XElement element, string name) => element.Elements().First(child => child.Name.LocalName == name).Value;

    private static Dictionary<string, string> Metadata(HttpRequest request) => request.Headers.Where(header => header.Key.StartsWith("x-amz-meta-", StringComparison.OrdinalIgnoreCase))
        .ToDictionary(header => header.Key["x-amz-meta-".Length..].ToLowerInvariant(), header => header.Value.ToString(), StringComparer.Ordinal);
}
