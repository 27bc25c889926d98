using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Launch;

/// <summary>A mount of a job whose storage is a bucket. Pure.</summary>
/// <param name="Index">Its place among the mounts of the job.</param>
/// <param name="Mount">The mount.</param>
/// <param name="Storage">The storage; of a mount of a bucket straight, one that is like it.</param>
internal sealed record BucketMount(int Index, StorageMount Mount, StorageSpec Storage)
{
    /// <summary>The bucket.</summary>
    public S3Storage Bucket => Storage.S3!;

    /// <summary>Whether a copy is taken before the start.</summary>
    public bool IsCopy => Mount.Mode == MountMode.Copy;

    /// <summary>Whether the job has succeeded only when what it wrote there is in the bucket.</summary>
    public bool IsWaitedFor => Writes && Storage.Flush != FlushMode.Background;

    /// <summary>Whether what is written goes to the bucket.</summary>
    public bool Writes => !IsCopy && Mount.ReadOnly != true;

    /// <summary>Those of a job, in order.</summary>
    public static IEnumerable<BucketMount> Of(TrainingJob job, IReadOnlyDictionary<string, Storage> storages) =>
        (job.Spec.Mounts ?? []).Index().Select(mount => new BucketMount(mount.Index, mount.Item, SpecOf(mount.Item, storages))).Where(mount => mount.Storage.S3 is not null);

    /// <summary>Whether the job may have something to bring to a bucket when it is told to end.</summary>
    public static bool Any(TrainingJob job, IReadOnlyDictionary<string, Storage> storages) => Of(job, storages).Any(mount => mount.Writes);

    private static StorageSpec SpecOf(StorageMount mount, IReadOnlyDictionary<string, Storage> storages)
    {
        if (mount.Storage is { } name) return storages.GetValueOrDefault(name)?.Spec ?? new StorageSpec();
        var parts = (mount.Source ?? "")["s3://".Length..].Split('/', 2);
        return new StorageSpec { S3 = new S3Storage { Bucket = parts[0], Prefix = parts.Length > 1 ? parts[1] : null } };
    }
}
