using Trestle.Api.Launch;

namespace Trestle.Cli.Logs;

/// <summary>How far the container of a rank is.</summary>
internal enum LogState
{
    Waiting,
    Running,
    Ended,
}

/// <summary>One rank of one attempt of one job, or one pod of a service: where a log comes from.</summary>
/// <param name="Pod">Name of the pod, or of the SlurmJob.</param>
/// <param name="Uid">Tells the logs apart; a new attempt has new ones.</param>
/// <param name="Job">Name of the TrainingJob or the InferenceService.</param>
/// <param name="Task">Task name inside a group; engine or gateway of a service; null for a plain or a launched job.</param>
/// <param name="Rank">0-based; of a service the replica.</param>
/// <param name="Attempt">1-based.</param>
/// <param name="State">Only a container that has started has a log.</param>
internal sealed record LogRank(string Pod, string Uid, string Job, string? Task, int Rank, int Attempt, LogState State)
{
    /// <summary>The log is a file on a Slurm cluster.</summary>
    public bool IsOnSlurm { get; init; }

    /// <summary>Whose output it is.</summary>
    public string Container { get; init; } = Names.MainContainer;

    /// <summary>Which of the nodes of a replica; 0-based.</summary>
    public int Node { get; init; }

    /// <summary>Shown only to who asks for its task.</summary>
    public bool IsAside { get; init; }
}

/// <summary>The job or group whose log is read.</summary>
/// <param name="Phase">As in status.phase.</param>
/// <param name="Ended">Nothing will be written any more.</param>
/// <param name="Code">What the command ends with once it has ended.</param>
/// <param name="Message">Why it waits, or how it ended.</param>
internal sealed record LogSubject(string Phase, bool Ended, int Code, string Message);

/// <summary>Which part of a container's log to read.</summary>
internal sealed record LogQuery(bool Follow, string? SinceTime = null, int? Tail = null, long? SinceSeconds = null);

/// <summary>What reading logs needs from the cluster. Every call may throw when the API is away.</summary>
internal interface ILogSource
{
    /// <summary>Null when there is no such job any more.</summary>
    Task<LogSubject?> FindAsync(CancellationToken cancellation);

    /// <summary>All ranks whose pods or SlurmJobs still exist, of every attempt.</summary>
    Task<IReadOnlyList<LogRank>> RanksAsync(CancellationToken cancellation);

    /// <summary>Lines, with their times where there are any; ends when the rank has ended, throws when the connection is cut.</summary>
    IAsyncEnumerable<LogLine> ReadAsync(LogRank rank, LogQuery query, CancellationToken cancellation);

    /// <summary>True for an error that goes away by itself: no connection, 429, 5xx.</summary>
    bool IsPassing(Exception error);

    /// <summary>True when the pod is gone.</summary>
    bool IsGone(Exception error);
}
