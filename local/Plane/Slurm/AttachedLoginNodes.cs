using Trestle.Bridge.Login;

namespace Trestle.Local.Plane.Slurm;

/// <summary>Login nodes of a plane's clusters: this machine for those that are here, SSH for all others.</summary>
internal sealed class AttachedLoginNodes(IReadOnlySet<string> here, ILoginNodes local, ILoginNodes ssh) : ILoginNodes
{
    /// <inheritdoc/>
    public ILoginNode Of(ClusterLogin login) => (IsHere(login.Cluster) ? local : ssh).Of(login);

    /// <inheritdoc/>
    public bool IsHere(string cluster) => here.Contains(cluster);
}
