using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Trestle.Integration.Tests.Containers;

/// <summary>An image registry that has one image, with an empty layer: it stands in for the base image, which comes from the internet.</summary>
internal sealed class FakeRegistry : IAsyncDisposable
{
    private const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";
    private readonly Dictionary<string, byte[]> _blobs = new(StringComparer.Ordinal);
    private readonly byte[] _manifest;
    private readonly WebApplication _app;

    private FakeRegistry()
    {
        var tar = EmptyTar();
        var layer = Zip(tar);
        var config = Utf8(new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject { ["User"] = "0", ["Env"] = new JsonArray("PATH=/usr/bin:/bin") },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(Digest(tar)) },
        });
        _manifest = Utf8(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = Keep("application/vnd.docker.container.image.v1+json", config),
            ["layers"] = new JsonArray(Keep("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)),
        });
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>HOST:PORT.</summary>
    public string Address => $"localhost:{new Uri(_app.Urls.First()).Port}";

    public static async Task<FakeRegistry> StartAsync()
    {
        var registry = new FakeRegistry();
        await registry._app.StartAsync();
        return registry;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        var body = path.Contains("/manifests/", StringComparison.Ordinal) ? _manifest : path.TrimEnd('/') == "/v2" ? "{}"u8.ToArray() : _blobs.GetValueOrDefault(path[(path.LastIndexOf('/') + 1)..]);
        context.Response.StatusCode = body is null ? StatusCodes.Status404NotFound : StatusCodes.Status200OK;
        if (body is null) return;
        context.Response.ContentType = body == _manifest ? ManifestType : "application/octet-stream";
        context.Response.Headers["Docker-Content-Digest"] = Digest(body);
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(body);
    }

    private JsonObject Keep(string type, byte[] content)
    {
        _blobs[Digest(content)] = content;
        return new JsonObject { ["mediaType"] = type, ["size"] = content.Length, ["digest"] = Digest(content) };
    }

    private static byte[] EmptyTar()
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true)) tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "base/"));
        return stream.ToArray();
    }

    private static byte[] Zip(byte[] content)
    {
        using var stream = new MemoryStream();
        using (var zip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true)) zip.Write(content);
        return stream.ToArray();
    }

    private static byte[] Utf8(JsonObject json) => Encoding.UTF8.GetBytes(json.ToJsonString());

    private static string Digest(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
}
