using static Trestle.Api.V1Alpha1.SlurmJobPhase;

namespace Trestle.Bridge.Slurm;

/// <summary>All states of Slurm 22.05 to 26.05. What is not here is Unknown, and nothing is done about it.</summary>
internal static class SlurmStates
{
    private static readonly Dictionary<string, SlurmState> ByName = new SlurmState[]
    {
        new("PENDING", Queued),
        new("REQUEUED", Queued) { MayBeRequeued = true },
        new("REQUEUE_FED", Queued),
        new("EXPEDITING", Queued),
        new("REQUEUE_HOLD", Queued, "Held", "Slurm holds the job; scontrol release lets it go on"),
        new("SPECIAL_EXIT", Queued, "Held", "Slurm holds the job after a special exit; scontrol release lets it go on"),
        new("RESV_DEL_HOLD", Queued, "Held", "Slurm holds the job as its reservation was deleted"),
        new("CONFIGURING", Starting),
        new("POWER_UP_NODE", Starting),
        new("RUNNING", Running),
        new("RESIZING", Running),
        new("SIGNALING", Running),
        new("SUSPENDED", Suspended),
        new("STOPPED", Suspended),
        new("COMPLETING", Terminating),
        new("STAGE_OUT", Terminating),
        new("COMPLETED", Succeeded),
        new("FAILED", Failed, "Failed"),
        new("OUT_OF_MEMORY", Failed, "OutOfMemory", "the job used more memory than it asked for"),
        new("DEADLINE", Failed, "Deadline", "the job could not end before its deadline"),
        new("TIMEOUT", Failed, "TimeLimit", "the job reached its time limit"),
        new("NODE_FAIL", Failed, "NodeFail", "a node of the job failed") { IsInfrastructure = true, MayBeRequeued = true },
        new("BOOT_FAIL", Failed, "BootFail", "a node of the job could not be booted") { IsInfrastructure = true, MayBeRequeued = true },
        new("LAUNCH_FAILED", Failed, "LaunchFailed", "Slurm could not launch the job") { IsInfrastructure = true, MayBeRequeued = true },
        new("RECONFIG_FAIL", Failed, "ReconfigFail", "a node of the job could not be configured anew") { IsInfrastructure = true, MayBeRequeued = true },
        new("PREEMPTED", Failed, "Preempted", "another job took the nodes") { IsInfrastructure = true, MayBeRequeued = true },
        new("CANCELLED", Cancelled, "Cancelled", "the job was cancelled"),
        new("REVOKED", Unknown, "Revoked", "another cluster of the federation runs the job"),
    }.ToDictionary(state => state.Name, StringComparer.Ordinal);

    /// <summary>Names of all known states.</summary>
    public static IReadOnlyCollection<string> Names => ByName.Keys;

    /// <summary>The state of a text such as RUNNING or "CANCELLED by 1001".</summary>
    public static SlurmState Of(string text)
    {
        var name = text.Split(' ', 2)[0];
        return ByName.TryGetValue(name, out var known) ? known : new SlurmState(Printable.Text(name, 40), Unknown, "UnknownState", "Slurm gives a state that the bridge does not know");
    }

    /// <summary>The state of a job in accounting or in the queue, with Slurm's own reason taken into account.</summary>
    public static SlurmState Of(string text, string slurmReason) =>
        Of(text) is { Phase: Queued, Reason: null } waiting && IsHeld(slurmReason)
            ? waiting with { Reason = "Held", Message = "the job is held in Slurm; scontrol release lets it go on" }
            : Of(text);

    private static bool IsHeld(string reason) => reason.StartsWith("JobHeld", StringComparison.Ordinal) || reason.Contains("held state", StringComparison.Ordinal);
}
