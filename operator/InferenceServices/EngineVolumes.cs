using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.InferenceServices;

/// <summary>What an engine mounts. Pure.</summary>
internal static class EngineVolumes
{
    private const int Executable = 0x1ED; // rwxr-xr-x
    private const string DefaultCachePath = "/models";

    /// <summary>Where downloaded model files go; null for a model that is a path of the image or of a volume.</summary>
    public static string? CachePath(InferenceService service) => Cache(service) is { } cache ? cache.MountPath ?? DefaultCachePath : null;

    /// <summary>All of them.</summary>
    public static IEnumerable<(V1Volume Volume, V1VolumeMount Mount)> Of(InferenceService service, int accelerators)
    {
        if (Cache(service) is { } cache) yield return At(CachePath(service)!, Cached(cache));
        if (SharedMemory(service, accelerators) is { } memory) yield return At("/dev/shm", memory);
        if (service.Spec.Workdir?.ConfigMap is { } workdir)
            yield return At(Paths.Workdir, new V1Volume { Name = "trestle-workdir", ConfigMap = new V1ConfigMapVolumeSource { Name = workdir.Name, DefaultMode = Executable } }, readOnly: true);
    }

    private static ModelCache? Cache(InferenceService service) =>
        service.Spec.Model.Cache ?? (service.Spec.Model.Uri.StartsWith('/') ? null : new ModelCache());

    private static V1Volume Cached(ModelCache cache)
    {
        var volume = new V1Volume { Name = "trestle-models" };
        if (cache.Type is ModelCacheType.HostPath) volume.HostPath = new V1HostPathVolumeSource { Path = cache.Source, Type = "DirectoryOrCreate" };
        else if (cache.Type is ModelCacheType.PersistentVolumeClaim) volume.PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = cache.Source };
        else volume.EmptyDir = new V1EmptyDirVolumeSource { SizeLimit = cache.Size is { } size ? new ResourceQuantity(size) : null };
        return volume;
    }

    // Processes of one engine talk through it, and the 64 MiB that containers have otherwise are too few.
    private static V1Volume? SharedMemory(InferenceService service, int accelerators)
    {
        var asked = service.Spec.Resources?.SharedMemory;
        return asked is null && accelerators < 2 ? null : new V1Volume
        {
            Name = "trestle-shm",
            EmptyDir = new V1EmptyDirVolumeSource { Medium = "Memory", SizeLimit = asked is null ? null : new ResourceQuantity(asked) },
        };
    }

    private static (V1Volume Volume, V1VolumeMount Mount) At(string path, V1Volume volume, bool readOnly = false) =>
        (volume, new V1VolumeMount { Name = volume.Name, MountPath = path, ReadOnlyProperty = readOnly ? true : null });
}
