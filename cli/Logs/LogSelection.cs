namespace Trestle.Cli.Logs;

/// <summary>Which ranks the user asked for.</summary>
internal sealed record LogSelection(string? Task = null, int? Rank = null, int? Attempt = null)
{
    public bool Includes(LogRank rank) =>
        (Task is null ? !rank.IsAside : rank.Task == Task || rank.Job == Task)
        && (Rank is null || rank.Rank == Rank)
        && (Attempt is null || rank.Attempt == Attempt);

    /// <summary>The ranks to show at first: of each job the newest attempt, unless one was asked for.</summary>
    public IReadOnlyList<LogRank> Newest(IReadOnlyList<LogRank> ranks) =>
    [
        .. ranks.Where(Includes)
            .GroupBy(rank => rank.Job, StringComparer.Ordinal)
            .SelectMany(job => job.Where(rank => rank.Attempt == job.Max(other => other.Attempt)))
            .OrderBy(rank => rank.Job, StringComparer.Ordinal).ThenBy(rank => rank.Rank).ThenBy(rank => rank.Node),
    ];
}
