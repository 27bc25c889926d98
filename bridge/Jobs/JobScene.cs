using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>All that is known when a job is looked at.</summary>
/// <param name="Job">The object.</param>
/// <param name="Submission">What this process knows of its submission.</param>
internal sealed record JobScene(SlurmJob Job, SubmissionState Submission)
{
    /// <summary>Why it can't be sent as it is, as one sentence; null when it can.</summary>
    public string? Refusal { get; init; }

    /// <summary>What the last look into Slurm says; null when there was none since it has its id.</summary>
    public Sighting? Sighting { get; init; }

    /// <summary>What Slurm said last when it was asked for a start; null when it was not asked.</summary>
    public StartEstimate? Estimate { get; init; }

    /// <summary>When this process last asked for that, by the steady clock.</summary>
    public TimeSpan? LastPreflight { get; init; }

    /// <summary>When its steps were told to end, by the steady clock; null when they were not.</summary>
    public TimeSpan? TermSent { get; init; }

    /// <summary>When this process last sent scancel for it, by the steady clock.</summary>
    public TimeSpan? LastCancel { get; init; }
}
