using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>What is admitted whole or not at all: one job, or the jobs of a group that start together.</summary>
/// <param name="Uid">Uid of the job or the group; decides between equals.</param>
/// <param name="Priority">Higher goes first.</param>
/// <param name="QueuedAt">Since when it waits.</param>
/// <param name="Jobs">The jobs, one or more.</param>
internal sealed record Gang(string Uid, int Priority, DateTime QueuedAt, IReadOnlyList<GangJob> Jobs)
{
    /// <summary>Some of it was admitted before and the rest was cut off by a crash or a conflict: goes before all others.</summary>
    public bool Begun { get; init; }
}

/// <summary>One job of a gang.</summary>
/// <param name="Job">Namespace and name.</param>
/// <param name="Nodes">Ranks.</param>
/// <param name="Shape">What each rank asks for.</param>
/// <param name="Avoid">Nodes that failed this job; used only when others don't suffice.</param>
internal sealed record GangJob(ObjectKey Job, int Nodes, Shape Shape, IReadOnlySet<string> Avoid)
{
    /// <summary>Ranks it takes when there is no room for all: fewer than <see cref="Nodes"/> for an elastic job that restarts.</summary>
    public int Fewest { get; init; } = Nodes;
}

/// <summary>What one pass decided.</summary>
/// <param name="Admitted">Jobs with the node of every rank.</param>
/// <param name="Waiting">The others, in the order of the queue.</param>
internal sealed record PassResult(IReadOnlyList<AdmittedJob> Admitted, IReadOnlyList<WaitingGang> Waiting);

/// <summary>A job and the node of every rank, in rank order.</summary>
internal sealed record AdmittedJob(GangJob Job, IReadOnlyList<string> Nodes);

/// <summary>A gang that does not fit.</summary>
/// <param name="Gang">The gang.</param>
/// <param name="Position">1 is next.</param>
/// <param name="Reason">What it waits for, e.g. "waiting for 16 H100, 8 free".</param>
internal sealed record WaitingGang(Gang Gang, int Position, string Reason);
