using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Amazon.Runtime;

namespace Trestle.CacheMount.Stores;

/// <summary>
/// Signs a request as AWS Signature Version 4 asks for, with a payload that is not signed: over TLS it need not be, and its checksum is
/// in a signed header.
/// </summary>
/// <param name="region">Region of the bucket.</param>
/// <param name="time">The clock.</param>
internal sealed class S3Signer(string region, TimeProvider time)
{
    private const string Unsigned = "UNSIGNED-PAYLOAD";

    /// <summary>Adds the headers of a signature. Every x-amz- header there is becomes part of it.</summary>
    public void Sign(HttpRequestMessage request, ImmutableCredentials credentials)
    {
        var now = time.GetUtcNow();
        var stamp = now.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{now.ToString("yyyyMMdd", CultureInfo.InvariantCulture)}/{region}/s3/aws4_request";
        request.Headers.TryAddWithoutValidation("x-amz-content-sha256", Unsigned);
        request.Headers.TryAddWithoutValidation("x-amz-date", stamp);
        if (!string.IsNullOrEmpty(credentials.Token)) request.Headers.TryAddWithoutValidation("x-amz-security-token", credentials.Token);
        var url = request.RequestUri!;
        var headers = request.Headers.Where(header => header.Key.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase))
            .Select(header => (Name: header.Key.ToLowerInvariant(), Value: string.Join(',', header.Value).Trim()))
            .Append((Name: "host", Value: url.Authority)).OrderBy(header => header.Name, StringComparer.Ordinal).ToList();
        var names = string.Join(';', headers.Select(header => header.Name));
        var canonical = $"{request.Method}\n{url.AbsolutePath}\n{Query(url)}\n{string.Concat(headers.Select(header => $"{header.Name}:{header.Value}\n"))}\n{names}\n{Unsigned}";
        var toSign = $"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = Hmac(Hmac(Hmac(Hmac(Encoding.UTF8.GetBytes("AWS4" + credentials.SecretKey), scope[..8]), region), "s3"), "aws4_request");
        request.Headers.TryAddWithoutValidation("Authorization", $"AWS4-HMAC-SHA256 Credential={credentials.AccessKey}/{scope}, SignedHeaders={names}, Signature={Convert.ToHexStringLower(Hmac(key, toSign))}");
    }

    /// <summary>A key as it stands in a URL and in what is signed.</summary>
    public static string Escape(string key) => string.Join('/', key.Split('/').Select(Uri.EscapeDataString));

    private static string Query(Uri url) => string.Join('&', url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Contains('=', StringComparison.Ordinal) ? pair : pair + "=").Order(StringComparer.Ordinal));

    private static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
