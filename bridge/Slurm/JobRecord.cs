namespace Trestle.Bridge.Slurm;

/// <summary>What Slurm says of one job at one time.</summary>
internal sealed record JobRecord
{
    /// <summary>Job id, a number.</summary>
    public required string Id { get; init; }

    /// <summary>Name of the job, as its user wrote it.</summary>
    public required string Name { get; init; }

    /// <summary>Its state.</summary>
    public required SlurmState State { get; init; }

    /// <summary>Slurm's reason, "" for none; may hold what people wrote.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Restarts under the same id.</summary>
    public int Restarts { get; init; }

    /// <summary>How it ended; null when it has not.</summary>
    public ExitStatus? Exit { get; init; }

    /// <summary>Node names, as Slurm writes lists of them.</summary>
    public string Nodes { get; init; } = "";

    /// <summary>When it was submitted, or put back into the queue.</summary>
    public DateTimeOffset? SubmittedAt { get; init; }

    /// <summary>When it started; of a waiting job an estimate.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended; of a running job its limit.</summary>
    public DateTimeOffset? EndedAt { get; init; }
}
