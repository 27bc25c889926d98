namespace Trestle.CacheMount.Stores;

/// <summary>Which bucket, and how to get there. Credentials come from the environment and the places that the AWS SDK knows.</summary>
/// <param name="Bucket">Name of the bucket.</param>
/// <param name="Prefix">Put before every key; empty or ending in a slash.</param>
internal sealed record S3Options(string Bucket, string Prefix)
{
    /// <summary>Address of the service; AWS when null.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Region, e.g. eu-west-1.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>True: the bucket is in the path instead of the host name.</summary>
    public bool PathStyle { get; init; }

    /// <summary>PEM file with the certificates that the service's may be signed by; the system's when null.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>No byte moved for so long: the connection is dead.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Where the objects are.</summary>
    public Uri Address => Endpoint is not { } endpoint ? new Uri(PathStyle ? $"https://s3.{Region}.amazonaws.com/{Bucket}/" : $"https://{Bucket}.s3.{Region}.amazonaws.com/")
        : PathStyle ? new Uri(endpoint, $"/{Bucket}/")
        : new UriBuilder(endpoint) { Host = $"{Bucket}.{endpoint.Host}", Path = "/" }.Uri;
}
