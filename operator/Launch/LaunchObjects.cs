using System.Globalization;
using System.Text;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Launch;

/// <summary>A job → the objects that run one attempt of it. Pure; each is controlled by the job.</summary>
public static class LaunchObjects
{
    private const string TokenFile = PodVolumes.TokenDirectory + "/token";

    // What was written before the end is brought to its bucket within the grace period.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan FlushGrace = TimeSpan.FromMinutes(5);

    private static readonly ResourceKind JobKind = ResourceKind.Of<TrainingJob>();

    /// <summary>Makes the hosts of a job known to each other by name, before they are ready. Tasks share the one of their group.</summary>
    public static V1Service Service(TrainingJob job) => new()
    {
        ApiVersion = "v1",
        Kind = "Service",
        Metadata = Metadata(job, job.Metadata.Name),
        Spec = new V1ServiceSpec { ClusterIP = "None", PublishNotReadyAddresses = true, Selector = new Dictionary<string, string> { [Labels.JobUid] = job.Metadata.Uid } },
    };

    /// <summary>launch.sh and the user's scripts.</summary>
    public static V1ConfigMap Scripts(TrainingJob job) => new()
    {
        ApiVersion = "v1",
        Kind = "ConfigMap",
        Metadata = Metadata(job, Names.LaunchConfigMap(job.Metadata.Name)),
        Data = Launch.Scripts.Of(job.Spec),
        Immutable = true, // nodes need not watch it
    };

    /// <summary>The tokens of the ranks of an attempt, by rank.</summary>
    public static V1Secret Token(TrainingJob job, int attempt, RendezvousKey key) => new()
    {
        ApiVersion = "v1",
        Kind = "Secret",
        Metadata = Metadata(job, TokenName(job, attempt)),
        Immutable = true,
        Data = Enumerable.Range(0, job.AttemptSize).ToDictionary(Text, rank => Encoding.ASCII.GetBytes(key.Token(job.Metadata.Uid, attempt, rank))),
    };

    /// <summary>Name of the Secret of <see cref="Token"/>.</summary>
    public static string TokenName(TrainingJob job, int attempt) => $"{job.Metadata.Name}-a{Text(attempt)}-rendezvous";

    /// <summary>The pod of a rank: gated, bound to no node.</summary>
    /// <exception cref="LaunchRefusedException">A mount has no storage of kind file, or podTemplate can't be used.</exception>
    public static V1Pod Pod(TrainingJob job, PodSettings settings, IReadOnlyDictionary<string, Storage> storages, int rank, int attempt)
    {
        var pod = new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = Metadata(job, Names.Pod(job.Metadata.Name, rank, attempt)),
            Spec = Spec(job, settings, storages, rank, attempt),
        };
        pod.Metadata.Labels[Labels.Attempt] = Text(attempt);
        pod.Metadata.Labels[Labels.Rank] = Text(rank);
        if (job.Spec.PodTemplate is not { Count: > 0 } overlay) return pod;
        return PodOverlay.Problem(overlay) is { } problem ? throw new LaunchRefusedException(problem) : PodOverlay.Apply(overlay, pod);
    }

    private static V1PodSpec Spec(TrainingJob job, PodSettings settings, IReadOnlyDictionary<string, Storage> storages, int rank, int attempt)
    {
        var image = job.Spec.Image ?? settings.DefaultImage;
        var mounted = PodVolumes.Main(job, storages, rank).ToList();
        var copier = PodVolumes.Copier(job, storages, image);
        var grace = BucketMount.Any(job, storages) ? FlushGrace : Grace;
        return new V1PodSpec
        {
            RestartPolicy = "Never",
            SchedulingGates = [new V1PodSchedulingGate { Name = Names.AdmissionGate }],
            Hostname = job.HostName(rank),
            Subdomain = job.ServiceName,
            NodeSelector = job.Accelerators is { } accelerators ? new Dictionary<string, string> { [Labels.Accelerator] = accelerators.Name } : null,
            Tolerations = [Lost("not-ready"), Lost("unreachable")],
            TerminationGracePeriodSeconds = (long)Math.Ceiling(Duration.ParseOr(job.Spec.TerminationGracePeriod, grace).TotalSeconds),
            EnableServiceLinks = false,
            AutomountServiceAccountToken = job.Spec.SubmitsJobs == true,
            ServiceAccountName = job.Spec.SubmitsJobs == true ? settings.LauncherAccount : null,
            // Copies and caches first: they may take long, and the rendezvous answers all ranks at once.
            InitContainers =
            [
                .. copier is null ? [] : new[] { copier },
                .. CacheMounts.Copiers(job, settings, storages),
                .. CacheMounts.Sidecars(job, settings, storages, rank, attempt),
                Rendezvous(job, settings, rank, attempt),
                .. job.HangTimeout is { } timeout ? new[] { Heart(job, settings, rank, attempt, timeout) } : [],
            ],
            Containers = [MainContainer.Build(job, image, mounted.Select(volume => volume.Mount), CacheMounts.WaitedFor(job, storages))],
            Volumes = [.. mounted.Select(volume => volume.Volume), .. PodVolumes.CopyVolumes(job, storages), PodVolumes.Token(TokenName(job, attempt), rank)],
        };
    }

    private static V1Container Rendezvous(TrainingJob job, PodSettings settings, int rank, int attempt) => NodeProgram(job, settings, Names.RendezvousContainer,
    [
        "--url", $"{settings.RendezvousUrl}{RendezvousServer.Path(job.Metadata.Uid, attempt, rank)}",
        "--token-file", TokenFile,
        "--out", Paths.EnvFile,
    ]);

    // Restarted when it ends, and ended when the main container has: a sidecar.
    private static V1Container Heart(TrainingJob job, PodSettings settings, int rank, int attempt, TimeSpan timeout)
    {
        var container = NodeProgram(job, settings, Names.HeartbeatContainer,
        [
            "--url", $"{settings.RendezvousUrl}{RendezvousServer.HeartbeatPath(job.Metadata.Uid, attempt, rank)}",
            "--token-file", TokenFile,
            "--run", Paths.Run,
            "--every", Duration.Format(Heartbeat.Interval(timeout)),
        ]);
        container.RestartPolicy = "Always";
        return container;
    }

    private static V1Container NodeProgram(TrainingJob job, PodSettings settings, string command, IEnumerable<string> arguments) => new()
    {
        Name = command,
        Image = settings.NodeImage ?? settings.DefaultImage ?? job.Spec.Image,
        Command = ["trestle-node", command, .. arguments],
        TerminationMessagePolicy = "FallbackToLogsOnError",
        VolumeMounts =
        [
            new V1VolumeMount { Name = PodVolumes.RunVolume, MountPath = Paths.Run },
            new V1VolumeMount { Name = PodVolumes.TokenVolume, MountPath = PodVolumes.TokenDirectory, ReadOnlyProperty = true },
        ],
    };

    // Kubernetes' own default is 300 s, which a whole gang would spend waiting for one lost node.
    private static V1Toleration Lost(string taint) => new() { Key = $"node.kubernetes.io/{taint}", OperatorProperty = "Exists", Effect = "NoExecute", TolerationSeconds = 30 };

    private static V1ObjectMeta Metadata(TrainingJob job, string name)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Labels.ManagedBy] = Labels.ManagedByValue,
            [Labels.JobUid] = job.Metadata.Uid,
            [Labels.JobName] = job.Metadata.Name,
        };
        if ((job.TaskGroup ?? job.Spec.Group) is { } group) labels[Labels.JobGroup] = group;
        if (job.TaskName is { } task) labels[Labels.Task] = task;
        return new V1ObjectMeta { Name = name, NamespaceProperty = job.Metadata.NamespaceProperty, Labels = labels, OwnerReferences = [job.AsController(JobKind)] };
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
