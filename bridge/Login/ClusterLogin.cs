using Trestle.Api.V1Alpha1;

namespace Trestle.Bridge.Login;

/// <summary>Who to be on which login node, and how to get there.</summary>
/// <param name="Cluster">Name of the SlurmCluster.</param>
/// <param name="Host">Name or address of the login node.</param>
/// <param name="Port">Port of its sshd.</param>
/// <param name="JumpHosts">Hosts to go through, in order: [user@]host[:port].</param>
/// <param name="User">User name on the cluster.</param>
/// <param name="PrivateKey">Text of the user's key, without a passphrase; never shown.</param>
/// <param name="KnownHosts">Text of a known_hosts file: the only host keys that are trusted.</param>
public sealed record ClusterLogin(string Cluster, string Host, int Port, IReadOnlyList<string> JumpHosts, string User, string PrivateKey, string KnownHosts)
{
    /// <summary>The login of a cluster's user.</summary>
    public static ClusterLogin Of(string cluster, SshTarget target, string user, string privateKey, string knownHosts)
    {
        ArgumentNullException.ThrowIfNull(target);
        return new ClusterLogin(cluster, target.Host, target.Port ?? 22, target.JumpHosts ?? [], user, privateKey, knownHosts);
    }

    /// <inheritdoc/>
    public bool Equals(ClusterLogin? other) => other is not null && Cluster == other.Cluster && Host == other.Host && Port == other.Port
        && JumpHosts.SequenceEqual(other.JumpHosts) && User == other.User && PrivateKey == other.PrivateKey && KnownHosts == other.KnownHosts;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Cluster, Host, Port, User, PrivateKey, KnownHosts);

    /// <inheritdoc/>
    public override string ToString() => $"{User}@{Host}:{Port} ({Cluster})";
}
