namespace Trestle.Bridge.Login;

/// <summary>Gives the login node of a cluster for a user; connections are shared and kept.</summary>
public interface ILoginNodes
{
    /// <summary>Makes no contact by itself.</summary>
    ILoginNode Of(ClusterLogin login);

    /// <summary>Whether the cluster's login node is this machine: then no key is needed.</summary>
    bool IsHere(string cluster) => false;
}
