namespace Trestle.Bridge.Login;

/// <summary>A login node of a Slurm cluster, as one user of it. Safe for concurrent use.</summary>
public interface ILoginNode
{
    /// <summary>Runs a POSIX sh script there; the script travels on stdin, never on a command line.</summary>
    /// <exception cref="ContactLostException">No complete answer came: the script may have run wholly, in part or not at all.</exception>
    Task<CommandOutput> RunAsync(string script, CancellationToken ct);
}

/// <summary>What a script wrote and how it ended; <paramref name="Output"/> and <paramref name="Error"/> as bytes.</summary>
public sealed record CommandOutput(int ExitCode, ReadOnlyMemory<byte> Output, ReadOnlyMemory<byte> Error);

/// <summary>Contact to a login node was lost or never made. Says nothing about jobs.</summary>
public sealed class ContactLostException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Gives the login node of a cluster for a user; connections are shared and kept.</summary>
public interface ILoginNodes
{
    /// <summary>The login node; contact is made when it is first used.</summary>
    ILoginNode Of(ClusterLogin login);
}
