using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>What gives its nodes back whole or not at all: a job, or all jobs of a group that started together.</summary>
/// <param name="Uid">Uid of the job or the group.</param>
/// <param name="Priority">Lower goes first.</param>
/// <param name="QueuedAt">Since when it waited for what it has.</param>
/// <param name="Jobs">The jobs.</param>
internal sealed record RunningUnit(string Uid, int Priority, DateTime QueuedAt, IReadOnlyList<UnitJob> Jobs)
{
    /// <summary>It does not run, but keeps nodes for its restart.</summary>
    public bool IsRestart { get; init; }

    /// <summary>Its jobs have agreed to be preempted.</summary>
    public bool IsPreemptible { get; init; }

    /// <summary>Until then its minimal run time protects it.</summary>
    public DateTimeOffset ProtectedUntil { get; init; }

    /// <summary>What it did since then is lost when it is preempted.</summary>
    public DateTimeOffset SafeUntil { get; init; }

    /// <summary>Why some of its jobs were preempted already; the others must follow. Null when none were.</summary>
    public string? Leaving { get; init; }

    /// <summary>Least important first; among equals who loses the least work.</summary>
    public static IReadOnlyList<RunningUnit> Sort(IEnumerable<RunningUnit> units) =>
        [.. units.OrderBy(unit => unit.Priority).ThenByDescending(unit => unit.IsRestart).ThenByDescending(unit => unit.SafeUntil).ThenBy(unit => unit.Uid, StringComparer.Ordinal)];
}

/// <summary>One job of a unit.</summary>
/// <param name="Job">Namespace and name.</param>
/// <param name="Uid">Its uid.</param>
/// <param name="Queue">Its queue.</param>
/// <param name="Demand">What it uses of the quota.</param>
internal sealed record UnitJob(ObjectKey Job, string Uid, QueueUse Queue, long[] Demand);
