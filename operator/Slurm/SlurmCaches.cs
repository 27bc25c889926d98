using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Runtime;

namespace Trestle.Operator.Slurm;

/// <summary>What the operator sees of Slurm, which is what the bridge writes.</summary>
/// <param name="Jobs">All SlurmJobs, with the index <see cref="JobUidIndex"/>.</param>
/// <param name="Clusters">All clusters.</param>
/// <param name="Groups">All groups.</param>
public sealed record SlurmCaches(IObjectCache<SlurmJob> Jobs, IObjectCache<SlurmCluster> Clusters, IObjectCache<JobGroup> Groups)
{
    /// <summary>Index of SlurmJobs by the uid of their TrainingJob.</summary>
    public const string JobUidIndex = "job-uid";

    /// <summary>Nothing of it.</summary>
    public static SlurmCaches None { get; } = new(Indexed(), new ObjectStore<SlurmCluster>(), new ObjectStore<JobGroup>());

    /// <summary>Value of <see cref="JobUidIndex"/>.</summary>
    public static string? JobUid(SlurmJob job) => job.Label(Labels.JobUid);

    internal IReadOnlyList<SlurmJob> JobsOf(TrainingJob job) => Jobs.Where(JobUidIndex, job.Metadata.Uid);

    internal IReadOnlyDictionary<string, SlurmCluster> ClustersOf(TrainingJob job) =>
        Places.Of(job.Spec).Select(place => place.Slurm?.Cluster).OfType<string>().Distinct().Select(name => Clusters.Find(new ObjectKey("", name))).OfType<SlurmCluster>()
            .ToDictionary(cluster => cluster.Metadata.Name, StringComparer.Ordinal);

    internal JobGroup? GroupOf(TrainingJob job) => job.TaskGroup is { } group ? Groups.Find(new ObjectKey(job.Metadata.NamespaceProperty ?? "", group)) : null;

    private static ObjectStore<SlurmJob> Indexed()
    {
        var store = new ObjectStore<SlurmJob>();
        store.AddIndex(JobUidIndex, JobUid);
        return store;
    }
}
