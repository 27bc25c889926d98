using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Slurm;

/// <summary>What the script and the options of an attempt on Slurm are made from.</summary>
/// <param name="Job">The job.</param>
/// <param name="Place">Where it goes.</param>
/// <param name="Cluster">That cluster.</param>
/// <param name="Attempt">The attempt.</param>
public sealed record SlurmInput(TrainingJob Job, SlurmPlacement Place, SlurmCluster Cluster, int Attempt)
{
    /// <summary>The group it is a task of; null for none.</summary>
    public JobGroup? Group { get; init; }

    /// <summary>Storages it mounts, by name.</summary>
    public IReadOnlyDictionary<string, Storage> Storages { get; init; } = new Dictionary<string, Storage>();

    /// <summary>Data of the ConfigMaps that it names and that exist.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> ConfigMaps { get; init; } = new Dictionary<string, IReadOnlyDictionary<string, string>>();
}
