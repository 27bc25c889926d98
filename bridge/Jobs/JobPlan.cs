using Trestle.Api.V1Alpha1;

namespace Trestle.Bridge.Jobs;

/// <summary>What is to do after the status is written; one thing at a time.</summary>
internal enum JobEffect
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Set the finalizer: from then on it may have been sent.</summary>
    AddFinalizer,

    /// <summary>Submit it, unless it was.</summary>
    Submit,

    /// <summary>See to it that it is never submitted, and learn whether it was.</summary>
    Close,

    /// <summary>Ask Slurm when it would start it, and whether at all.</summary>
    Preflight,

    /// <summary>Send TERM to its steps, which may then write a checkpoint.</summary>
    TermSteps,

    /// <summary>End it in Slurm.</summary>
    Cancel,

    /// <summary>Remove its directory and then the finalizer.</summary>
    Clean,
}

/// <summary>What was decided about a job.</summary>
/// <param name="Status">The status to write; null when it is as it should be.</param>
/// <param name="Effect">What is to do then.</param>
/// <param name="Again">When to look again without a change.</param>
internal sealed record JobPlan(SlurmJobStatus? Status, JobEffect Effect, TimeSpan? Again = null);
