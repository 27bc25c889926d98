using Trestle.Api.V1Alpha1;

namespace Trestle.Bridge.Slurm;

/// <summary>What a state of Slurm means to us.</summary>
/// <param name="Name">As Slurm writes it.</param>
/// <param name="Phase">Our phase.</param>
/// <param name="Reason">Why, as one word; null when Slurm's own reason says it.</param>
/// <param name="Message">Why, as a sentence; null where the phase says it all.</param>
internal sealed record SlurmState(string Name, SlurmJobPhase Phase, string? Reason = null, string? Message = null)
{
    /// <summary>The job has ended and won't come back under this id.</summary>
    public bool IsFinal => Phase is SlurmJobPhase.Succeeded or SlurmJobPhase.Failed or SlurmJobPhase.Cancelled;

    /// <summary>The cluster ended it, not the job: another try does not count as a failure.</summary>
    public bool IsInfrastructure { get; init; }

    /// <summary>Accounting writes it also for a job that Slurm has put back into its queue: one look is not enough.</summary>
    public bool MayBeRequeued { get; init; }
}
