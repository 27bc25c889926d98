using Trestle.Bridge.Jobs;
using Trestle.Bridge.Login;

namespace Trestle.Bridge.Clusters;

/// <summary>All that works for one user of a cluster.</summary>
/// <param name="Name">User name on the cluster.</param>
/// <param name="Node">The login node.</param>
/// <param name="Lane">Its submissions.</param>
/// <param name="Poller">Its looks into the queue.</param>
internal sealed record UserSession(string Name, ILoginNode Node, SubmissionLane Lane, JobPoller Poller)
{
    /// <summary>Log readers take turns: sshd allows few channels on a connection, and most are for submissions.</summary>
    public SemaphoreSlim LogTurns { get; } = new(2);

    /// <summary>To ask for a start costs slurmctld a pass of its scheduler: one question at a time.</summary>
    public SemaphoreSlim PreflightTurn { get; } = new(1);

    /// <summary>Places in the line before that; who finds none asks much later.</summary>
    public SemaphoreSlim PreflightLine { get; } = new(32);
}
