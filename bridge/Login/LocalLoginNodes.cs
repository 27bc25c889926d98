namespace Trestle.Bridge.Login;

/// <summary>For a bridge that runs on the login node. It is one user, and can be no other.</summary>
public sealed class LocalLoginNodes(SshOptions options, TimeProvider time) : ILoginNodes
{
    private readonly LocalLoginNode _node = new(options, time);

    /// <inheritdoc/>
    public ILoginNode Of(ClusterLogin login) => login.User == Environment.UserName ? _node : new Stranger(login.User);

    /// <inheritdoc/>
    public bool IsHere(string cluster) => true;

    private sealed class Stranger(string user) : ILoginNode
    {
        public Task<CommandOutput> RunAsync(string script, CancellationToken ct) => throw new ContactLostException(
            $"the bridge runs here as {Environment.UserName} and can't be {user}; use SSH, or start a bridge as {user}");
    }
}
