namespace Trestle.Local.Nodes.Pods;

/// <summary>How one run of a container ended.</summary>
/// <param name="Code">Exit code; 128+n for signal n.</param>
/// <param name="Reason">Completed, Error, StartError, ContainerStatusUnknown…</param>
/// <param name="Message">Termination message, or why it could not start.</param>
/// <param name="StartedAt">Start of the run.</param>
/// <param name="FinishedAt">End of the run.</param>
public sealed record ContainerExit(int Code, string Reason, string? Message, DateTimeOffset StartedAt, DateTimeOffset FinishedAt);

/// <summary>Where a container stands.</summary>
public enum ContainerPhase
{
    /// <summary>Not started yet, or waiting to be started again.</summary>
    Waiting,

    /// <summary>Running.</summary>
    Running,

    /// <summary>Its last run ended.</summary>
    Exited,
}

/// <summary>What the agent knows of one container of one pod.</summary>
/// <param name="Name">Name in the pod.</param>
public sealed record ContainerSlot(string Name)
{
    /// <summary>Where it stands.</summary>
    public ContainerPhase Phase { get; init; }

    /// <summary>How often it was started again.</summary>
    public int Restarts { get; init; }

    /// <summary>Start of the present run.</summary>
    public DateTimeOffset StartedAt { get; init; }

    /// <summary>How the last run ended.</summary>
    public ContainerExit? Exit { get; init; }

    /// <summary>How the run before ended.</summary>
    public ContainerExit? Previous { get; init; }

    /// <summary>Whether its startup probe has passed (or it has none and runs).</summary>
    public bool Started { get; init; }

    /// <summary>Whether its readiness probe passes (or it has none and runs).</summary>
    public bool Ready { get; init; }

    /// <summary>Whether it has been told to stop.</summary>
    public bool Stopping { get; init; }

    /// <summary>Why it can't be made, such as CreateContainerConfigError.</summary>
    public string? WaitReason { get; init; }

    /// <summary>The sentence to it.</summary>
    public string? WaitMessage { get; init; }

    /// <summary>When making it is tried again.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}
