using Trestle.Api.V1Alpha1;
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

    /// <summary>Services of its group that start with it, and with how many replicas.</summary>
    public IReadOnlyList<(ObjectKey Service, int Replicas)> Services { get; init; } = [];

    /// <summary>It restarts and nodes of its last attempt are kept for it.</summary>
    public bool KeepsNodes => Jobs.Count == 1 && Jobs[0].Kept.Count > 0;

    /// <summary>E.g. research/train, or the first of several.</summary>
    public string Name => Jobs.Count == 1 ? Jobs[0].Job.ToString() : $"{Jobs[0].Job} and the other tasks of its group";
}

/// <summary>One job of a gang.</summary>
/// <param name="Job">Namespace and name.</param>
/// <param name="Nodes">Ranks.</param>
/// <param name="Shape">What each rank asks for.</param>
/// <param name="Avoid">Nodes that failed this job; used only when others don't suffice.</param>
internal sealed record GangJob(ObjectKey Job, int Nodes, Shape Shape, IReadOnlySet<string> Avoid)
{
    /// <summary>Node label whose values are the domains; null when it does not matter.</summary>
    public string? TopologyKey { get; init; }

    /// <summary>All ranks must be in one domain; else they are where possible.</summary>
    public bool NeedsOneDomain { get; init; }

    /// <summary>Name of its queue as the job says; null for the default.</summary>
    public string? Queue { get; init; }

    /// <summary>Uid of the job.</summary>
    public string Uid { get; init; } = "";

    /// <summary>While it restarts: ranks whose node is kept for it.</summary>
    public IReadOnlyList<RankAssignment> Kept { get; init; } = [];

    /// <summary>Since when it could start again and keeps nodes for that; null when it keeps none.</summary>
    public DateTimeOffset? KeptSince { get; init; }

    /// <summary>The replica of a service that it is; null for a job.</summary>
    public ReplicaClaim? Replica { get; init; }

    /// <summary>Ranks it takes when there is no room for all: fewer than <see cref="Nodes"/> for an elastic job that restarts.</summary>
    public int Fewest { get; init; } = Nodes;
}

/// <summary>What one pass decided.</summary>
/// <param name="Admitted">Jobs with the node of every rank.</param>
/// <param name="Waiting">The others, in the order of the queue.</param>
internal sealed record PassResult(IReadOnlyList<AdmittedJob> Admitted, IReadOnlyList<WaitingGang> Waiting)
{
    /// <summary>Jobs that must give their nodes back.</summary>
    public IReadOnlyList<Eviction> Evictions { get; init; } = [];

    /// <summary>Nodes that are held for jobs until they are free, by uid of the job.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<RankAssignment>> Promised { get; init; } = new Dictionary<string, IReadOnlyList<RankAssignment>>();

    /// <summary>When time alone makes a difference; null when it does not.</summary>
    public DateTimeOffset? Next { get; init; }
}

/// <summary>A job and the node of every rank, in rank order.</summary>
internal sealed record AdmittedJob(GangJob Job, IReadOnlyList<string> Nodes);

/// <summary>A gang that does not fit.</summary>
/// <param name="Gang">The gang.</param>
/// <param name="Position">1 is next.</param>
/// <param name="Reason">What it waits for, e.g. "waiting for 16 H100, 8 free".</param>
internal readonly record struct WaitingGang(Gang Gang, int Position, string Reason);

/// <summary>A job that gives its nodes back.</summary>
/// <param name="Job">Namespace and name.</param>
/// <param name="For">Who gets them; null when nobody does yet.</param>
/// <param name="IsRestart">It does not run: it only gives up what was kept for its restart.</param>
/// <param name="Message">Why, as a sentence.</param>
internal sealed record Eviction(ObjectKey Job, Gang? For, bool IsRestart, string Message);
