using k8s.Models;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Storages;

/// <summary>How trestle-node is told of a bucket. Its credentials are in the environment of its own container and nowhere else. Pure.</summary>
internal static class BucketAccess
{
    private static readonly string[] Keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    private const string SessionToken = "AWS_SESSION_TOKEN";

    /// <summary>Its arguments.</summary>
    /// <param name="bucket">The bucket.</param>
    /// <param name="subPath">A directory below its prefix; null for all of it.</param>
    public static IEnumerable<string> Arguments(S3Storage bucket, string? subPath)
    {
        yield return "--store";
        yield return $"s3://{bucket.Bucket}/{string.Join('/', new[] { bucket.Prefix, subPath }.Select(part => part?.Trim('/')).Where(part => part is { Length: > 0 }))}";
        if (bucket.Endpoint is { } endpoint)
        {
            yield return "--endpoint";
            yield return endpoint;
        }

        if (bucket.Region is { } region)
        {
            yield return "--region";
            yield return region;
        }

        if (bucket.PathStyle != true) yield break;
        yield return "--path-style";
        yield return "true";
    }

    /// <summary>Its environment; null when the credentials are the node's or the pod's own.</summary>
    public static List<V1EnvVar>? Environment(S3Storage bucket) => bucket.CredentialsSecretRef is not { } secret ? null :
    [
        .. Keys.Select(key => FromSecret(secret.Name, key, optional: null)),
        FromSecret(secret.Name, SessionToken, optional: true),
    ];

    private static V1EnvVar FromSecret(string secret, string key, bool? optional) =>
        new() { Name = key, ValueFrom = new V1EnvVarSource { SecretKeyRef = new V1SecretKeySelector { Name = secret, Key = key, Optional = optional } } };
}
