using System.Diagnostics.CodeAnalysis;
using k8s.Models;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Login;
using Trestle.Runtime;

namespace Trestle.Bridge.Clusters;

/// <summary>
/// The login node as one user of a cluster. Keys are read when it is first used, after contact was lost and every few minutes, so that
/// a new key is used without a restart.
/// </summary>
/// <param name="api">Where the Secrets are.</param>
/// <param name="nodes">Connections.</param>
/// <param name="cluster">The cluster.</param>
/// <param name="user">The user.</param>
/// <param name="ownNamespace">Namespace of Secrets that name none.</param>
/// <param name="time">The clock.</param>
[EntityRbac("", "secrets", "get")]
[SuppressMessage("Design", "CA1001", Justification = "A semaphore that nobody asks for its wait handle holds nothing")]
internal sealed class UserLogin(IKubeApi api, ILoginNodes nodes, SlurmCluster cluster, SlurmUser user, string ownNamespace, TimeProvider time) : ILoginNode
{
    private const string KeyEntry = "ssh-privatekey";
    private const string HostsEntry = "known_hosts";
    private const int MostChannels = 8; // sshd allows 10 on a connection
    private static readonly TimeSpan Freshness = TimeSpan.FromMinutes(5);
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _channels = new(MostChannels);
    private (ILoginNode Node, long At)? _known;

    /// <inheritdoc/>
    public async Task<CommandOutput> RunAsync(string script, CancellationToken ct)
    {
        await _channels.WaitAsync(ct);
        try
        {
            var node = await NodeAsync(ct);
            return await node.RunAsync(script, ct);
        }
        catch (ContactLostException)
        {
            lock (_lock) _known = null;
            throw;
        }
        finally
        {
            _channels.Release();
        }
    }

    private async Task<ILoginNode> NodeAsync(CancellationToken ct)
    {
        lock (_lock)
        {
            if (_known is { } known && time.GetElapsedTime(known.At) < Freshness) return known.Node;
        }

        var login = await ReadAsync(ct);
        lock (_lock)
        {
            var node = nodes.Of(login);
            _known = (node, time.GetTimestamp());
            return node;
        }
    }

    private async Task<ClusterLogin> ReadAsync(CancellationToken ct)
    {
        if (nodes.IsHere(cluster.Metadata.Name)) return ClusterLogin.Of(cluster.Metadata.Name, cluster.Spec.Ssh, user.User, "", "");
        var key = await EntryAsync(user.KeySecretRef, KeyEntry, ct);
        var hosts = cluster.Spec.Ssh.KnownHostsSecretRef is { } reference
            ? await EntryAsync(reference, HostsEntry, ct)
            : throw new ContactLostException($"SlurmCluster {cluster.Metadata.Name} names no spec.ssh.knownHostsSecretRef; give a Secret with the entry {HostsEntry}, so that the login node is known by its key");
        return ClusterLogin.Of(cluster.Metadata.Name, cluster.Spec.Ssh, user.User, key, hosts);
    }

    private async Task<string> EntryAsync(NamespacedReference reference, string entry, CancellationToken ct)
    {
        var key = new ObjectKey(reference.Namespace ?? ownNamespace, reference.Name);
        try
        {
            var secret = await api.FindAsync<V1Secret>(key, ct) ?? throw new ContactLostException($"there is no Secret {key} for user {user.User}; create it with the entry {entry}");
            return secret.Data?.TryGetValue(entry, out var value) == true && value.Length > 0
                ? System.Text.Encoding.UTF8.GetString(value)
                : throw new ContactLostException($"Secret {key} has no entry {entry}; add it for user {user.User}");
        }
        catch (Exception error) when (error is KubeApiException or HttpRequestException)
        {
            throw new ContactLostException($"Secret {key} can't be read: {error.Message}", error);
        }
    }
}
