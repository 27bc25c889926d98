using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.TrainingJobs;

/// <summary>An attempt at its end, with what the job went through before.</summary>
/// <param name="Failure">What ended it.</param>
public sealed record FailedAttempt(RankFailure Failure)
{
    // So long a run has got somewhere, where nothing is known of checkpoints.
    private static readonly TimeSpan LongRun = TimeSpan.FromHours(1);

    private static readonly TimeSpan StartTime = TimeSpan.FromMinutes(1);

    /// <summary>How long all ranks ran; zero when they never all did.</summary>
    public TimeSpan RanFor { get; init; }

    /// <summary>Since when the newest checkpoint is durable; null when none is known.</summary>
    public DateTime? CheckpointAt { get; init; }

    /// <summary>The restarts before; may be absent.</summary>
    public RestartCounts? Counts { get; init; }

    /// <summary>What the failures before left; may be absent.</summary>
    public RetryStatus? Retry { get; init; }

    /// <summary>Nodes it ran on.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>The node is held to be the cause, as far as the table has it so.</summary>
    public bool SuspectsNode { get; init; }

    /// <summary>
    /// The job got further since the last failure: there is a newer durable checkpoint. A job that writes none that we know of
    /// has got further when it ran for an hour.
    /// </summary>
    public bool MadeProgress => CheckpointAt is { } durable ? !(Retry?.CheckpointAt >= durable) : RanFor >= LongRun;

    /// <summary>The user's code had time to show that it runs at all.</summary>
    public bool GotGoing => MadeProgress || RanFor >= StartTime;
}
