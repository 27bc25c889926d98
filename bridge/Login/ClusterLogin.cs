using Trestle.Api.V1Alpha1;

namespace Trestle.Bridge.Login;

/// <summary>Who somebody is on a Slurm cluster, and how to get there. Equal ones share a connection; printing it shows no secret.</summary>
/// <param name="Cluster">Name of the SlurmCluster.</param>
/// <param name="Host">Name or address of the login node.</param>
/// <param name="Port">Port of its sshd.</param>
/// <param name="JumpHosts">Hosts to go through, in order, each [user@]host[:port], one a line.</param>
/// <param name="User">User name there.</param>
/// <param name="PrivateKey">Text of the private key.</param>
/// <param name="KnownHosts">Text of known_hosts.</param>
public sealed record ClusterLogin(string Cluster, string Host, int Port, string JumpHosts, string User, string PrivateKey, string KnownHosts)
{
    /// <summary>The login of a cluster's user.</summary>
    public static ClusterLogin Of(string cluster, SshTarget target, string user, string privateKey, string knownHosts)
    {
        ArgumentNullException.ThrowIfNull(target);
        return new ClusterLogin(cluster, target.Host, target.Port ?? 22, string.Join('\n', target.JumpHosts ?? []), user, privateKey, knownHosts);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{User}@{Host}:{Port} ({Cluster})";
}
