using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Operator.Storages;

/// <summary>What storages jobs need, and what a look into one means for its status. Pure.</summary>
public static class StoragePlanner
{
    /// <summary>Condition and reason of a storage that can be used.</summary>
    public const string Ready = "Ready";

    /// <summary>Condition of a bucket that can be read and perhaps not be written.</summary>
    public const string Writable = "Writable";

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
    public static bool InUse(Storage storage, IEnumerable<TrainingJob> jobs) => jobs.Any(job => job.Status?.HasEnded() != true && Used(job).Contains(storage.Key()));

    /// <summary>Why a job must wait for a storage that is there; null when it need not.</summary>
    public static (string Reason, string Message)? WhyWait(TrainingJob job, Storage storage)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(storage);
        var (name, status) = (storage.Metadata.Name, storage.Status);
        if (status?.Phase == StoragePhase.Failed) return ("StorageFailed", $"storage {name} can't be used: {status.Message}");
        if (storage.Spec.S3 is null) return null;
        if (status?.Phase != StoragePhase.Ready) return ("StoragePending", $"waiting for the first look into the bucket of storage {name}");
        var writes = (job.Spec.Mounts ?? []).Exists(mount => mount.Storage == name && mount.Mode != MountMode.Copy && mount.ReadOnly != true);
        return writes && BucketLook.IsReadOnly(status) ? ("StorageFailed", $"storage {name} can't be used: {status.Message}; mount it with readOnly, or correct its credentials") : null;
    }

    /// <summary>The status of a directory after a look into it.</summary>
    public static StorageStatus Status(Storage storage, DirectoryContent content, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(storage);
        ArgumentNullException.ThrowIfNull(content);
        var (phase, reason, message) = content switch
        {
            { Error: { } error } => (StoragePhase.Failed, "DirectoryUnusable", $"{storage.Spec.File!.Path} can't be used ({error.TrimEnd('.')}); correct file.path or its permissions"),
            { Complete: false } => (StoragePhase.Ready, Ready, $"there are more than {content.Objects} files; bytes and objects are of the first ones"),
            _ => (StoragePhase.Ready, Ready, "the directory can be used"),
        };
        var status = Begin(storage, phase, reason, message, now);
        (status.Bytes, status.Objects, status.Checkpoints) = (content.Bytes, content.Objects, [.. content.Checkpoints]);
        return status;
    }

    /// <summary>The status of a bucket after a look into it; what was known of its content stays when it could not be looked into.</summary>
    public static StorageStatus Status(Storage storage, BucketFinding found, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(storage);
        ArgumentNullException.ThrowIfNull(found);
        var before = storage.Status;
        if (found.Report is not { } report)
        {
            var failed = Begin(storage, StoragePhase.Failed, "BucketUnusable", found.Error ?? "", now);
            (failed.Bytes, failed.Objects, failed.Checkpoints, failed.LookedAt) = (before?.Bytes, before?.Objects, before?.Checkpoints, found.At);
            return failed;
        }

        var message = report switch
        {
            { WriteError: { } error } => $"it can be read and not written: {error}",
            { IsComplete: false } => $"there are more than {report.Objects} objects; bytes and objects are of the first ones",
            _ => "the bucket can be read and written",
        };
        var status = Begin(storage, StoragePhase.Ready, Ready, message, now);
        (status.Bytes, status.Objects, status.LookedAt) = (report.Bytes, report.Objects, found.At);
        status.Checkpoints = [.. report.Checkpoints.Select(checkpoint => Shown(storage, checkpoint))];
        if (report.WriteError is not null || status.Conditions!.Exists(condition => condition.Type == Writable)) Conditions.Set(status.Conditions!, Writable, report.WriteError is null, report.WriteError is null ? "Written" : "WriteRefused", message, storage.Metadata.Generation, now);
        return status;
    }

    /// <summary>The status with checkpoints that mounts have made durable since; null when it has them all.</summary>
    public static StorageStatus? With(Storage storage, IEnumerable<DurableCheckpoint> reported)
    {
        ArgumentNullException.ThrowIfNull(storage);
        if (storage.Status is not { Phase: StoragePhase.Ready } before) return null;
        var known = (before.Checkpoints ?? []).ToDictionary(checkpoint => checkpoint.Name);
        var isNew = false;
        foreach (var checkpoint in reported.Select(checkpoint => Shown(storage, checkpoint)))
        {
            if (known.GetValueOrDefault(checkpoint.Name) is { } same && same.DurableAt >= checkpoint.DurableAt) continue;
            known[checkpoint.Name] = checkpoint;
            isNew = true;
        }

        if (!isNew) return null;
        var newest = known.Values.OrderByDescending(checkpoint => checkpoint.DurableAt).ThenByDescending(checkpoint => checkpoint.Name, StringComparer.Ordinal).Take(DirectoryContent.MaxCheckpoints).ToList();
        if (before.Checkpoints is { } shown && newest.Select(checkpoint => (checkpoint.Name, checkpoint.DurableAt)).SequenceEqual(shown.Select(checkpoint => (checkpoint.Name, checkpoint.DurableAt)))) return null;
        var status = Begin(storage, StoragePhase.Ready, before.Reason!, before.Message!, default);
        (status.ObservedGeneration, status.Bytes, status.Objects, status.LookedAt, status.Checkpoints) = (before.ObservedGeneration, before.Bytes, before.Objects, before.LookedAt, newest);
        return status;
    }

    private static StorageStatus Begin(Storage storage, StoragePhase phase, string reason, string message, DateTimeOffset now)
    {
        var generation = storage.Metadata.Generation;
        var conditions = (storage.Status?.Conditions ?? []).Select(Copy).ToList();
        Conditions.Set(conditions, Ready, phase == StoragePhase.Ready, reason, message, generation, now);
        return new StorageStatus { ObservedGeneration = generation, Phase = phase, Reason = reason, Message = message, Conditions = conditions };
    }

    private static StoredCheckpoint Shown(Storage storage, DurableCheckpoint checkpoint)
    {
        var bucket = storage.Spec.S3!;
        var prefix = bucket.Prefix?.Trim('/') is { Length: > 0 } text ? text + "/" : "";
        return new StoredCheckpoint { Name = checkpoint.Name, Bytes = checkpoint.Bytes, DurableAt = Seconds(checkpoint.DurableAt), Uri = $"s3://{bucket.Bucket}/{prefix}{checkpoint.Name}" };
    }

    // The API server keeps whole seconds.
    private static DateTime Seconds(DateTimeOffset time) => time.UtcDateTime.AddTicks(-(time.UtcTicks % TimeSpan.TicksPerSecond));

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
