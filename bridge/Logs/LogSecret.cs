using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Runtime;

namespace Trestle.Bridge.Logs;

/// <summary>The Secret that holds the key of the log tokens, so that all replicas, and whoever makes tokens, have the same.</summary>
/// <param name="api">The server.</param>
/// <param name="ns">Namespace of the Secret.</param>
[EntityRbac("", "secrets", "get,create", InOwnNamespace = true)]
internal sealed class LogSecret(IKubeApi api, string ns)
{
    private const string Name = "trestle-bridge";
    private const string Entry = "key";

    /// <summary>The key; made when there is no Secret.</summary>
    /// <exception cref="InvalidOperationException">The Secret holds no key.</exception>
    public async Task<LogKey> OpenAsync(CancellationToken ct)
    {
        var secret = await FindAsync(ct) ?? await CreateAsync(ct);
        return secret?.Data?.TryGetValue(Entry, out var key) == true && key.Length >= LogKey.Length
            ? new LogKey(key)
            : throw new InvalidOperationException($"Secret {ns}/{Name} has no entry {Entry} of {LogKey.Length} bytes; delete the Secret to have it made anew");
    }

    private Task<V1Secret?> FindAsync(CancellationToken ct) => api.FindAsync<V1Secret>(new ObjectKey(ns, Name), ct);

    private async Task<V1Secret?> CreateAsync(CancellationToken ct)
    {
        var secret = new V1Secret
        {
            ApiVersion = "v1",
            Kind = "Secret",
            Metadata = new V1ObjectMeta { Name = Name, NamespaceProperty = ns, Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue } },
            Data = new Dictionary<string, byte[]> { [Entry] = LogKey.NewSecret() },
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
