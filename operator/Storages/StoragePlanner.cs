using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Storages;

/// <summary>What storages jobs need, and what a look into one means for its status. Pure.</summary>
public static class StoragePlanner
{
    /// <summary>Condition and reason of a storage that can be used.</summary>
    public const string Ready = "Ready";

    /// <summary>Condition of what this version can't do.</summary>
    public const string Unsupported = "Unsupported";

    /// <summary>Storages that a job mounts by name.</summary>
    public static IEnumerable<ObjectKey> Used(TrainingJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return (job.Spec.Mounts ?? []).Select(mount => mount.Storage).OfType<string>().Distinct(StringComparer.Ordinal)
            .Select(name => new ObjectKey(job.Metadata.NamespaceProperty ?? "", name));
    }

    /// <summary>Names of those that were not found.</summary>
    /// <param name="job">The job.</param>
    /// <param name="found">Storages of its namespace by name.</param>
    public static IReadOnlyList<string> Missing(TrainingJob job, IReadOnlyDictionary<string, Storage> found) =>
        [.. Used(job).Select(key => key.Name).Where(name => !found.ContainsKey(name))];

    /// <summary>The storage that a mount of a missing one means: ROOT/NAMESPACE/NAME.</summary>
    public static Storage Default(string ns, string name, string root) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ns, Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue } },
        Spec = new StorageSpec { File = new FileStorage { Path = $"{root.TrimEnd('/')}/{ns}/{name}" } },
    };

    /// <summary>Whether somebody may be writing to it.</summary>
    public static bool InUse(Storage storage, IEnumerable<TrainingJob> jobs) =>
        jobs.Any(job => job.Status?.Phase is not (TrainingJobPhase.Succeeded or TrainingJobPhase.Failed or TrainingJobPhase.Cancelled) && Used(job).Contains(storage.Key()));

    /// <summary>The status after a look; <paramref name="content"/> is null for a storage that can't be looked into.</summary>
    public static StorageStatus Status(Storage storage, DirectoryContent? content, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(storage);
        var generation = storage.Metadata.Generation;
        var unsupported = storage.Spec.File is null;
        var (phase, reason, message) = content switch
        {
            null when unsupported => (StoragePhase.Failed, Unsupported, "s3 storages come with the cache mount; use file: {path: /DIRECTORY}"),
            null => (StoragePhase.Pending, "NotRead", "the directory was not looked at yet"),
            { Error: { } error } => (StoragePhase.Failed, "DirectoryUnusable", $"{storage.Spec.File!.Path} can't be used ({error.TrimEnd('.')}); correct file.path or its permissions"),
            { Complete: false } => (StoragePhase.Ready, Ready, $"there are more than {content.Objects} files; bytes and objects are of the first ones"),
            _ => (StoragePhase.Ready, Ready, "the directory can be used"),
        };
        var conditions = (storage.Status?.Conditions ?? []).Select(Copy).ToList();
        Conditions.Set(conditions, Ready, phase == StoragePhase.Ready, reason, message, generation, now);
        if (unsupported || conditions.Exists(condition => condition.Type == Unsupported)) Conditions.Set(conditions, Unsupported, unsupported, reason, message, generation, now);
        return new StorageStatus
        {
            ObservedGeneration = generation,
            Phase = phase,
            Reason = reason,
            Message = message,
            Bytes = content?.Bytes,
            Objects = content?.Objects,
            Checkpoints = content?.Checkpoints.ToList(),
            Conditions = conditions,
        };
    }

    private static V1Condition Copy(V1Condition condition) => new()
    {
        Type = condition.Type,
        Status = condition.Status,
        Reason = condition.Reason,
        Message = condition.Message,
        LastTransitionTime = condition.LastTransitionTime,
        ObservedGeneration = condition.ObservedGeneration,
    };
}
