using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Scheduling;

/// <summary>All that a pass decides from.</summary>
/// <param name="Snapshot">The nodes.</param>
/// <param name="Gangs">Who waits.</param>
/// <param name="Quotas">The queues, with what runs counted.</param>
internal sealed record PassInput(NodeSnapshot Snapshot, IReadOnlyList<Gang> Gangs, QuotaBook Quotas)
{
    /// <summary>What could give its nodes back.</summary>
    public IReadOnlyList<RunningUnit> Units { get; init; } = [];

    /// <summary>The time.</summary>
    public DateTimeOffset Now { get; init; }

    /// <summary>Nodes that the last pass promised, by uid of the job: they stay promised to it while they can, so that nobody else must give way for the same job.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<RankAssignment>> Promised { get; init; } = new Dictionary<string, IReadOnlyList<RankAssignment>>();

    /// <summary>Who waited so long has nodes reserved, and who keeps nodes for a restart that long gives them up.</summary>
    public TimeSpan StarvationTimeout { get; init; } = TimeSpan.MaxValue;
}
