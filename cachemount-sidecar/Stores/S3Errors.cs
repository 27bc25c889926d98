using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using Amazon.S3;

namespace Trestle.CacheMount.Stores;

/// <summary>What an answer of S3 means for us.</summary>
internal static class S3Errors
{
    /// <summary>What kind of trouble a status and a code are.</summary>
    public static StoreProblem Problem(HttpStatusCode status, string? code) => (code, (int)status) switch
    {
        ("SlowDown" or "TooManyRequests" or "ThrottlingException" or "RequestLimitExceeded", _) or (_, 429) => StoreProblem.SlowDown,
        ("NoSuchUpload", _) => StoreProblem.NoSuchUpload,
        ("InvalidPart" or "InvalidPartOrder" or "EntityTooSmall", _) => StoreProblem.WrongParts,
        ("BadDigest" or "XAmzContentChecksumMismatch" or "IncompleteBody", _) => StoreProblem.Unavailable,
        ("NoSuchBucket" or "NoSuchKey", _) or (_, 404) => StoreProblem.NotFound,
        (_, 412) => StoreProblem.Changed,
        (_, 503) => StoreProblem.SlowDown,
        (_, 401 or 403) or ("ExpiredToken" or "InvalidToken" or "TokenRefreshRequired" or "RequestTimeTooSkewed", _) => StoreProblem.Denied,
        (_, 400 or 405 or 411 or 413 or 414 or 416) => code is "RequestTimeout" ? StoreProblem.Unavailable : StoreProblem.Refused,
        _ => StoreProblem.Unavailable,
    };

    /// <summary>An exception of the SDK or the network as one of ours; null when it is none of theirs.</summary>
    /// <param name="error">What was thrown.</param>
    /// <param name="what">What was being done, e.g. storing a.bin in s3://b/p.</param>
    public static StoreException? Translate(Exception error, string what) => error switch
    {
        StoreException known => known,
        AmazonS3Exception answer when answer.StatusCode != default => Of(Problem(answer.StatusCode, answer.ErrorCode), (int)answer.StatusCode, answer.ErrorCode, answer.Message, what, error),
        AmazonClientException { InnerException: { } inner } when Translate(inner, what) is { } known => known,
        AmazonServiceException or AmazonClientException => new StoreException(StoreProblem.Unavailable, $"{what}: {error.Message}", error) { Code = "client" },
        HttpRequestException { InnerException: StoreException known } => known,
        HttpRequestException { InnerException: EndOfStreamException shorter } => new StoreException(StoreProblem.Corrupt, shorter.Message, error),
        HttpRequestException or IOException or SocketException => new StoreException(StoreProblem.Unavailable, $"{what}: {error.Message}", error) { Code = "connection" },
        OperationCanceledException or TimeoutException => new StoreException(StoreProblem.Unavailable, $"{what}: no answer in time", error) { Code = "timeout" },
        _ => null,
    };

    /// <summary>An answer that is no success.</summary>
    public static StoreException Of(StoreProblem problem, int status, string? code, string? message, string what, Exception? inner = null) =>
        new(problem, $"{what}: {(string.IsNullOrEmpty(code) ? "" : code + ": ")}{(string.IsNullOrEmpty(message) ? $"status {status}" : message)}", inner) { Code = code is { Length: > 0 and < 40 } ? code : status.ToString() };
}
