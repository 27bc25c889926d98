using System.Text;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Operator.Launch;
using Trestle.Runtime;

namespace Trestle.Operator;

/// <summary>What the rendezvous keeps across restarts of the operator, in one Secret: the key of the tokens, and where it listened.</summary>
/// <param name="api">The server.</param>
/// <param name="ns">Namespace of the Secret.</param>
internal sealed class RendezvousStore(IKubeApi api, string ns)
{
    private const string Name = "trestle-rendezvous";
    private const string KeyEntry = "key";
    private const string AddressEntry = "address";

    /// <summary>The key and the last address; makes the key when there is none.</summary>
    public async Task<(RendezvousKey Key, string? Address)> OpenAsync(CancellationToken ct)
    {
        var secret = await FindAsync(ct) ?? await CreateAsync(ct);
        if (secret.Data?.TryGetValue(KeyEntry, out var key) != true || key!.Length < RendezvousKey.Length)
            throw new InvalidOperationException($"Secret {ns}/{Name} has no entry {KeyEntry} of {RendezvousKey.Length} bytes; delete the Secret to have it made anew");
        return (new RendezvousKey(key), secret.Data.TryGetValue(AddressEntry, out var address) ? Encoding.ASCII.GetString(address) : null);
    }

    /// <summary>Keeps the address: ranks that wait know no other.</summary>
    public async Task KeepAddressAsync(string address, CancellationToken ct)
    {
        if (await FindAsync(ct) is not { } secret) return;
        secret.Data[AddressEntry] = Encoding.ASCII.GetBytes(address);
        await api.ReplaceAsync(secret, ct);
    }

    private Task<V1Secret?> FindAsync(CancellationToken ct) => api.FindAsync<V1Secret>(new ObjectKey(ns, Name), ct);

    private async Task<V1Secret> CreateAsync(CancellationToken ct)
    {
        try
        {
            return await api.CreateAsync(
                new V1Secret
                {
                    ApiVersion = "v1",
                    Kind = "Secret",
                    Metadata = new V1ObjectMeta { Name = Name, NamespaceProperty = ns, Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue } },
                    Data = new Dictionary<string, byte[]> { [KeyEntry] = RendezvousKey.NewSecret() },
                },
                ct);
        }
        catch (KubeApiException error) when (error.IsAlreadyExists)
        {
            return (await FindAsync(ct))!;
        }
    }
}
