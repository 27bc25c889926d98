namespace Trestle.Bridge.Login;

/// <summary>A login node of a Slurm cluster, as one user of it. Safe for concurrent use.</summary>
public interface ILoginNode
{
    /// <summary>Runs a POSIX sh script there; the script travels on stdin, never on a command line. Cancelling stops the waiting, not the script.</summary>
    /// <exception cref="ContactLostException">No complete answer came: the script may have run wholly, in part or not at all.</exception>
    Task<CommandOutput> RunAsync(string script, CancellationToken ct);
}
