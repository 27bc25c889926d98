namespace Trestle.CacheMount.Stores;

/// <summary>What a person should change when a store can't be used, as one sentence.</summary>
internal static class StoreAdvice
{
    /// <summary>The sentence.</summary>
    /// <param name="error">What went wrong.</param>
    /// <param name="store">What the store is, e.g. s3://bucket/prefix.</param>
    /// <param name="endpoint">Its address; null for the provider's own.</param>
    public static string Of(StoreException error, string store, string? endpoint)
    {
        var at = endpoint is null ? "" : $" at {endpoint.TrimEnd('/')}";
        return error switch
        {
            { Problem: StoreProblem.NotFound } => $"the bucket of {store} does not exist{at}; create it, or correct s3.bucket",
            { Code: "ExpiredToken" or "TokenRefreshRequired" } => $"the credentials for {store} have expired; renew them in the Secret of s3.credentialsSecretRef",
            { Code: "InvalidAccessKeyId" or "SignatureDoesNotMatch" or "InvalidToken" } => $"the credentials for {store} are not known{at}; correct the Secret of s3.credentialsSecretRef ({Words(error)})",
            { Code: "RequestTimeTooSkewed" } => $"the clock of this node is wrong for {store}; correct it ({Words(error)})",
            { Code: "AuthorizationHeaderMalformed" or "PermanentRedirect" or "IllegalLocationConstraintException" } => $"{store} is in another region; correct s3.region ({Words(error)})",
            { Problem: StoreProblem.Denied } => $"access to {store} is denied; allow the credentials of s3.credentialsSecretRef to list, read and write there ({Words(error)})",
            { Code: "connection" or "timeout" } => $"{store} can't be reached{at}; correct s3.endpoint, or see whether the service runs ({Words(error)})",
            _ => $"{store} can't be used ({Words(error)})",
        };
    }

    private static string Words(StoreException error) => error.Message.ReplaceLineEndings(" ").TrimEnd('.', ' ');
}
