using System.Globalization;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Storages;

namespace Trestle.Operator.Launch;

/// <summary>
/// The mounts of buckets on a pod: a cache on the node, which the user's container sees as a plain directory, and a sidecar that
/// brings what is written there to the bucket and what others wrote there to the cache. Pure.
/// </summary>
internal static class CacheMounts
{
    /// <summary>The part of a cache that the user sees.</summary>
    public const string Files = "files";

    private const int StartSeconds = 24 * 3600; // what is in the bucket is fetched before the start, and that may be much

    /// <summary>The volume of a mount's cache.</summary>
    public static V1Volume Volume(TrainingJob job, BucketMount mount, string name, int rank) => mount.Storage.Cache?.Medium switch
    {
        null or "LocalSSD" => new V1Volume { Name = name, EmptyDir = new V1EmptyDirVolumeSource() },
        "Memory" => new V1Volume { Name = name, EmptyDir = new V1EmptyDirVolumeSource { Medium = "Memory" } },
        var path => new V1Volume { Name = name, HostPath = new V1HostPathVolumeSource { Path = $"{path.TrimEnd('/')}/{job.Metadata.NamespaceProperty}/{job.Metadata.Uid}/{Text(rank)}-{Text(mount.Index)}", Type = "DirectoryOrCreate" } },
    };

    /// <summary>The sidecars of a rank.</summary>
    public static IEnumerable<V1Container> Sidecars(TrainingJob job, PodSettings settings, IReadOnlyDictionary<string, Storage> storages, int rank, int attempt) =>
        BucketMount.Of(job, storages).Where(mount => !mount.IsCopy).Select(mount => Sidecar(job, settings, mount, rank, attempt));

    /// <summary>Containers that fetch copies, before all others.</summary>
    public static IEnumerable<V1Container> Copiers(TrainingJob job, PodSettings settings, IReadOnlyDictionary<string, Storage> storages) =>
        BucketMount.Of(job, storages).Where(mount => mount.IsCopy).Select(mount => NodeContainer(job, settings, $"copy-{Text(mount.Index)}", mount,
            ["copy", .. BucketAccess.Arguments(mount.Bucket, mount.Mount.SubPath), "--into", mount.Mount.Path],
            [new V1VolumeMount { Name = PodVolumes.MountName(mount.Index), MountPath = mount.Mount.Path }]));

    /// <summary>Numbers of the mounts that the end of the job waits for; null for none.</summary>
    public static V1EnvVar? WaitedFor(TrainingJob job, IReadOnlyDictionary<string, Storage> storages)
    {
        var mounts = BucketMount.Of(job, storages).Where(mount => mount.IsWaitedFor).Select(mount => Text(mount.Index)).ToList();
        return mounts.Count == 0 ? null : new V1EnvVar { Name = Variables.FlushedMounts, Value = string.Join(' ', mounts) };
    }

    /// <summary>What the storage says of its cache, as options of the mount.</summary>
    public static IEnumerable<string> Options(BucketMount mount)
    {
        if (mount.Storage.Checkpoints is { Count: > 0 } patterns)
        {
            yield return "--checkpoints";
            yield return string.Join(',', patterns);
        }

        if (mount.Storage.Cache?.Size is not { } size) yield break;
        yield return "--size";
        yield return ((long)new ResourceQuantity(size).ToDecimal()).ToString(CultureInfo.InvariantCulture);
    }

    private static V1Container Sidecar(TrainingJob job, PodSettings settings, BucketMount mount, int rank, int attempt)
    {
        var cache = $"{Paths.Caches}/{Text(mount.Index)}";
        var container = NodeContainer(job, settings, Names.CacheMountContainer(mount.Index), mount,
        [
            "serve", "--cache", cache, "--front", "Directory",
            .. BucketAccess.Arguments(mount.Bucket, mount.Mount.SubPath),
            "--name", Names.Pod(job.Metadata.Name, rank, attempt),
            "--run", job.Metadata.Uid, "--attempt", Text(attempt),
            .. job.AttemptSize > 1 ? new[] { "--nodes", Text(job.AttemptSize), "--rank", Text(rank) } : [],
            .. Options(mount),
            "--fetch", "true",
            "--report", $"{settings.RendezvousUrl}{RendezvousServer.MountPath(job.Metadata.Uid, attempt, rank, mount.Index)}",
            "--token-file", $"{PodVolumes.TokenDirectory}/token",
            "--flush-request", Paths.FlushRequest(Paths.Run, mount.Index),
            "--flush-answer", Paths.FlushAnswer(Paths.Run, mount.Index),
        ],
        [
            new V1VolumeMount { Name = PodVolumes.MountName(mount.Index), MountPath = cache },
            new V1VolumeMount { Name = PodVolumes.RunVolume, MountPath = Paths.Run },
            new V1VolumeMount { Name = PodVolumes.TokenVolume, MountPath = PodVolumes.TokenDirectory, ReadOnlyProperty = true },
        ]);
        container.RestartPolicy = "Always";
        container.Resources = new V1ResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("100m"), ["memory"] = new("128Mi") } };

        // The containers after it start when the mount is ready.
        container.StartupProbe = new V1Probe
        {
            Exec = new V1ExecAction { Command = ["trestle-node", "cachemount", "status", "--socket", $"{cache}/state/socket"] },
            PeriodSeconds = 1,
            TimeoutSeconds = 10,
            FailureThreshold = StartSeconds,
        };
        return container;
    }

    private static V1Container NodeContainer(TrainingJob job, PodSettings settings, string name, BucketMount mount, IEnumerable<string> arguments, IList<V1VolumeMount> volumes) => new()
    {
        Name = name,
        Image = settings.NodeImage ?? settings.DefaultImage ?? job.Spec.Image,
        Command = ["trestle-node", "cachemount", .. arguments],
        Env = BucketAccess.Environment(mount.Bucket),
        TerminationMessagePolicy = "FallbackToLogsOnError",
        SecurityContext = Security(job),
        VolumeMounts = volumes,
    };

    // The user's container writes as whoever its image says, mostly root. Who says in podTemplate as whom the pod runs has said it for this one too.
    private static V1SecurityContext? Security(TrainingJob job) =>
        job.Spec.PodTemplate is { } overlay && PodOverlay.Spec(overlay)?["securityContext"]?["runAsUser"] is not null ? null : new V1SecurityContext
        {
            RunAsUser = 0,
            AllowPrivilegeEscalation = false,
            Capabilities = new V1Capabilities { Drop = ["ALL"], Add = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID"] },
        };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
