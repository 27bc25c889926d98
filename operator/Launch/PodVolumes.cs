using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Launch;

/// <summary>A volume and where the main container sees it.</summary>
internal sealed record MountedVolume(V1Volume Volume, V1VolumeMount Mount)
{
    public static MountedVolume At(string path, V1Volume volume, bool readOnly = false) =>
        new(volume, new V1VolumeMount { Name = volume.Name, MountPath = path, ReadOnlyProperty = readOnly ? true : null });
}

/// <summary>The volumes of a job's pods, and the container that fills copies. Pure.</summary>
internal static class PodVolumes
{
    public const string RunVolume = "trestle-run";
    public const string TokenVolume = "trestle-token";
    public const string TokenDirectory = "/trestle/token";

    // launch.sh fills the working directory from here.
    private const string WorkdirSource = "/trestle/workdir-source";

    private const string CopyContainer = "copy";
    private const string CopySources = "/trestle/copy";
    private const int Executable = 0x1ED; // rwxr-xr-x

    // Pairs of source and target directory.
    private const string CopyScript = """while [ $# -gt 0 ]; do cp -RPp "$1/." "$2/"; shift 2; done""";

    /// <summary>Everything the main container mounts.</summary>
    public static IEnumerable<MountedVolume> Main(TrainingJob job, IReadOnlyDictionary<string, Storage> storages, int rank)
    {
        yield return MountedVolume.At(Paths.Scripts, ConfigMap("trestle-scripts", Names.LaunchConfigMap(job.Metadata.Name)), readOnly: true);
        yield return MountedVolume.At(Paths.Run, Empty(RunVolume));
        if (job.Spec.Workdir?.ConfigMap is { } workdir)
        {
            yield return MountedVolume.At(WorkdirSource, ConfigMap("trestle-workdir-source", workdir.Name), readOnly: true);
            yield return MountedVolume.At(Paths.Workdir, Empty("trestle-workdir"));
        }

        if (job.Spec.Resources?.SharedMemory is { } size)
            yield return MountedVolume.At("/dev/shm", new V1Volume { Name = "trestle-shm", EmptyDir = new V1EmptyDirVolumeSource { Medium = "Memory", SizeLimit = new ResourceQuantity(size) } });
        foreach (var (index, task) in job.ServiceTasks.Index())
        {
            var endpoints = ConfigMap($"trestle-service-{index}", Names.EndpointsConfigMap(Names.TaskObject(job.TaskGroup!, task)));
            (endpoints.ConfigMap.Optional, endpoints.ConfigMap.DefaultMode) = (true, null); // the job may come before the service
            yield return MountedVolume.At(Paths.Service(task), endpoints, readOnly: true);
        }

        var buckets = BucketMount.Of(job, storages).ToDictionary(mount => mount.Index);
        foreach (var (index, mount) in (job.Spec.Mounts ?? []).Index())
        {
            if (mount.Mode == MountMode.Copy) yield return MountedVolume.At(mount.Path, Empty(MountName(index)), mount.ReadOnly == true);
            else if (buckets.GetValueOrDefault(index) is { } bucket) yield return Cached(CacheMounts.Volume(job, bucket, MountName(index), rank), mount);
            else yield return MountedVolume.At(mount.Path, Stored(MountName(index), mount, storages), mount.ReadOnly == true);
        }
    }

    /// <summary>The token of one rank alone, for our own containers alone.</summary>
    public static V1Volume Token(string secret, int rank) => new()
    {
        Name = TokenVolume,
        Secret = new V1SecretVolumeSource { SecretName = secret, Items = [new V1KeyToPath { Key = $"{rank}", Path = "token" }] },
    };

    /// <summary>Volumes that copies are taken from.</summary>
    public static IEnumerable<V1Volume> CopyVolumes(TrainingJob job, IReadOnlyDictionary<string, Storage> storages) =>
        Copies(job, storages).Select(copy => Stored(CopyName(copy.Index), copy.Mount, storages));

    /// <summary>The container that takes the copies of directories; null without any.</summary>
    public static V1Container? Copier(TrainingJob job, IReadOnlyDictionary<string, Storage> storages, string? image)
    {
        var copies = Copies(job, storages).ToList();
        return copies.Count == 0 ? null : new V1Container
        {
            Name = CopyContainer,
            Image = image,
            Command = ["/bin/sh", "-ec", CopyScript, CopyContainer, .. copies.SelectMany(copy => new[] { $"{CopySources}/{copy.Index}", copy.Mount.Path })],
            TerminationMessagePolicy = "FallbackToLogsOnError",
            VolumeMounts =
            [
                .. copies.Select(copy => new V1VolumeMount { Name = CopyName(copy.Index), MountPath = $"{CopySources}/{copy.Index}", ReadOnlyProperty = true }),
                .. copies.Select(copy => new V1VolumeMount { Name = MountName(copy.Index), MountPath = copy.Mount.Path }),
            ],
        };
    }

    /// <summary>Name of the volume of a mount.</summary>
    public static string MountName(int index) => $"mount-{index}";

    private static IEnumerable<(int Index, StorageMount Mount)> Copies(TrainingJob job, IReadOnlyDictionary<string, Storage> storages)
    {
        var buckets = BucketMount.Of(job, storages).Select(mount => mount.Index).ToHashSet();
        return (job.Spec.Mounts ?? []).Index().Where(mount => mount.Item.Mode == MountMode.Copy && !buckets.Contains(mount.Index));
    }

    private static MountedVolume Cached(V1Volume cache, StorageMount mount) =>
        new(cache, new V1VolumeMount { Name = cache.Name, MountPath = mount.Path, SubPath = CacheMounts.Files, ReadOnlyProperty = mount.ReadOnly == true ? true : null });

    private static string CopyName(int index) => $"copy-{index}";

    private static V1Volume Stored(string name, StorageMount mount, IReadOnlyDictionary<string, Storage> storages)
    {
        var root = mount.Storage is { } storage && storages.TryGetValue(storage, out var found) ? found.Spec.File?.Path : null;
        return root is null
            ? throw new LaunchRefusedException($"the mount at {mount.Path} needs a Storage with file.path; {mount.Storage ?? mount.Source} is none, or is gone")
            : new V1Volume { Name = name, HostPath = new V1HostPathVolumeSource { Path = mount.SubPath is { Length: > 0 } sub ? $"{root.TrimEnd('/')}/{sub}" : root, Type = "DirectoryOrCreate" } };
    }

    private static V1Volume ConfigMap(string volume, string name) => new() { Name = volume, ConfigMap = new V1ConfigMapVolumeSource { Name = name, DefaultMode = Executable } };

    private static V1Volume Empty(string volume) => new() { Name = volume, EmptyDir = new V1EmptyDirVolumeSource() };
}
