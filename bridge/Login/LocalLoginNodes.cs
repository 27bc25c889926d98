namespace Trestle.Bridge.Login;

/// <summary>All logins are this machine, as the user that runs the bridge.</summary>
internal sealed class LocalLoginNodes : ILoginNodes
{
    private static readonly LocalLoginNode Here = new("/bin/sh", []);

    /// <inheritdoc/>
    public ILoginNode Of(ClusterLogin login) => Here;
}
