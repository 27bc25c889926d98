using k8s.Models;

namespace Trestle.Runtime;

/// <summary>The Secret that keeps a key of tokens across restarts, the same for all replicas. Needs get and create of Secrets in its namespace.</summary>
/// <param name="api">The server.</param>
/// <param name="name">The Secret.</param>
/// <param name="labels">Labels of one that is made.</param>
public sealed class TokenSecret(IKubeApi api, ObjectKey name, IDictionary<string, string> labels)
{
    private const string Entry = "key";

    /// <summary>The bytes of the key; made when there is no Secret.</summary>
    /// <exception cref="InvalidOperationException">The Secret holds no key.</exception>
    public async Task<byte[]> OpenAsync(CancellationToken ct)
    {
        var secret = await FindAsync(ct) ?? await CreateAsync(ct);
        return secret?.Data?.TryGetValue(Entry, out var key) == true && key.Length >= TokenKey.Length
            ? key
            : throw new InvalidOperationException($"Secret {name} has no entry {Entry} of {TokenKey.Length} bytes; delete the Secret to have it made anew");
    }

    private Task<V1Secret?> FindAsync(CancellationToken ct) => api.FindAsync<V1Secret>(name, ct);

    private async Task<V1Secret?> CreateAsync(CancellationToken ct)
    {
        var secret = new V1Secret
        {
            ApiVersion = "v1",
            Kind = "Secret",
            Metadata = new V1ObjectMeta { Name = name.Name, NamespaceProperty = name.Namespace, Labels = labels },
            Data = new Dictionary<string, byte[]> { [Entry] = TokenKey.NewSecret() },
        };
        try
        {
            return await api.CreateAsync(secret, ct);
        }
        catch (KubeApiException error) when (error.IsAlreadyExists)
        {
            return await FindAsync(ct);
        }
    }
}
