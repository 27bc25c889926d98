using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Views;

namespace Trestle.Operator.TrainingJobs;

/// <summary>All that a plan for one job is made from.</summary>
/// <param name="Job">The job.</param>
/// <param name="Pods">Its pods, of every attempt.</param>
public sealed record Observed(TrainingJob Job, IReadOnlyList<PodView> Pods)
{
    /// <summary>Storages of the namespace that the job mounts and that exist, by name.</summary>
    public IReadOnlyDictionary<string, Storage> Storages { get; init; } = new Dictionary<string, Storage>();

    /// <summary>True: a storage that is mounted and does not exist is made.</summary>
    public bool MakesStorages { get; init; }

    /// <summary>Image of jobs that name none; null when there is no default.</summary>
    public string? DefaultImage { get; init; }

    /// <summary>How long a node may take to take up a rank.</summary>
    public TimeSpan StartTimeout { get; init; } = new OperatorOptions().StartTimeout;

    /// <summary>Why the API server would not take a pod; null when it did not say no.</summary>
    public RankFailure? Refusal { get; init; }

    /// <summary>What the ranks of the newest attempt said last of their life; those that were not heard of are not in it.</summary>
    public IReadOnlyDictionary<int, Heartbeat> Heartbeats { get; init; } = new Dictionary<int, Heartbeat>();

    /// <summary>What the cache mounts of the newest attempt said last.</summary>
    public IReadOnlyList<ReportedMount> Mounts { get; init; } = [];

    /// <summary>Who is to admit it.</summary>
    public ModeChoice Admission { get; init; } = ModeChoice.Operator;

    /// <summary>Nodes of the job that are not ready or gone.</summary>
    public IReadOnlySet<string> LostNodes { get; init; } = new HashSet<string>();

    /// <summary>Its SlurmJobs, of every attempt.</summary>
    public IReadOnlyList<SlurmJob> SlurmJobs { get; init; } = [];

    /// <summary>The Slurm clusters that its placements name and that exist.</summary>
    public IReadOnlyDictionary<string, SlurmCluster> Clusters { get; init; } = new Dictionary<string, SlurmCluster>();

    /// <summary>The group it is a task of; null for none.</summary>
    public JobGroup? Group { get; init; }
}
