using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Jobs;

/// <summary>The jobs and groups of one listing, sorted into who belongs to whom.</summary>
internal sealed class JobSet
{
    private readonly ILookup<(string Namespace, string Group), TrainingJob> _members;

    public JobSet(IEnumerable<TrainingJob> jobs, IEnumerable<JobGroup> groups)
    {
        Groups = [.. groups.OrderBy(group => group.Metadata.CreationTimestamp).ThenBy(group => group.Metadata.Name, StringComparer.Ordinal)];
        var known = Groups.Select(group => (group.Metadata.NamespaceProperty, group.Metadata.Name)).ToHashSet();
        var sorted = jobs.OrderBy(job => job.Metadata.CreationTimestamp).ThenBy(job => job.Metadata.Name, StringComparer.Ordinal).ToArray();
        _members = sorted.Where(job => job.GroupName() is not null).ToLookup(job => (job.Metadata.NamespaceProperty, job.GroupName()!));
        // A job whose group is gone is shown by itself rather than not at all.
        Loose = [.. sorted.Where(job => job.GroupName() is not { } group || !known.Contains((job.Metadata.NamespaceProperty, group)))];
        All = sorted;
    }

    public IReadOnlyList<JobGroup> Groups { get; }

    /// <summary>Jobs outside of any group.</summary>
    public IReadOnlyList<TrainingJob> Loose { get; }

    public IReadOnlyList<TrainingJob> All { get; }

    /// <summary>Services by themselves; those of groups are told of by their group.</summary>
    public IReadOnlyList<InferenceService> Services { get; init; } = [];

    /// <summary>Tasks and launched jobs, oldest first.</summary>
    public IReadOnlyList<TrainingJob> MembersOf(JobGroup group) => [.. _members[(group.Metadata.NamespaceProperty, group.Metadata.Name)]];
}
