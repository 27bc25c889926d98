namespace Trestle.Api.Launch;

/// <summary>Labels of pods, services and child objects.</summary>
public static class Labels
{
    /// <summary>"true" on the operator's pod that leads.</summary>
    public const string Leader = "trestle.dev/leader";

    /// <summary>Uid of the TrainingJob.</summary>
    public const string JobUid = "trestle.dev/job-uid";

    /// <summary>Name of the TrainingJob.</summary>
    public const string JobName = "trestle.dev/job-name";

    /// <summary>The attempt.</summary>
    public const string Attempt = "trestle.dev/attempt";

    /// <summary>The rank.</summary>
    public const string Rank = "trestle.dev/rank";

    /// <summary>On pods of a service: hash of what they were made from.</summary>
    public const string TemplateHash = "trestle.dev/template-hash";

    /// <summary>Part of a service that a pod is: <see cref="ReplicaComponent"/> or <see cref="GatewayComponent"/>.</summary>
    public const string Component = "app.kubernetes.io/component";

    /// <summary>Value of <see cref="Component"/> on pods with an engine.</summary>
    public const string ReplicaComponent = "replica";

    /// <summary>Value of <see cref="Component"/> on the pod of the gateway.</summary>
    public const string GatewayComponent = "gateway";

    /// <summary>Name of the JobGroup.</summary>
    public const string JobGroup = "trestle.dev/job-group";

    /// <summary>Name of the task in its group.</summary>
    public const string Task = "trestle.dev/task";

    /// <summary>Name of the Storage that a pod looks into.</summary>
    public const string Storage = "trestle.dev/storage";

    /// <summary>On nodes: type of accelerator, e.g. H100.</summary>
    public const string Accelerator = "trestle.dev/accelerator";

    /// <summary>Name of the InferenceService.</summary>
    public const string Service = "trestle.dev/service";

    /// <summary>Uid of the InferenceService.</summary>
    public const string ServiceUid = "trestle.dev/service-uid";

    /// <summary>Ordinal of the replica of an InferenceService.</summary>
    public const string Replica = "trestle.dev/replica";

    /// <summary>Who made the object.</summary>
    public const string ManagedBy = "app.kubernetes.io/managed-by";

    /// <summary>Value of <see cref="ManagedBy"/> on all objects of the operator.</summary>
    public const string ManagedByValue = "trestle";
}

/// <summary>Annotations.</summary>
public static class Annotations
{
    /// <summary>On a TrainingJob or JobGroup: end it as Cancelled, keep the object.</summary>
    public const string Cancel = "trestle.dev/cancel";

    /// <summary>Who submitted it.</summary>
    public const string User = "trestle.dev/user";

    /// <summary>On the TrainingJob of a task: the tasks of its group that are services, with commas between.</summary>
    public const string Services = "trestle.dev/services";

    /// <summary>On a TrainingJob: PATH@TIME, a directory below its first MountCached path that is a finished checkpoint.</summary>
    public const string CommitCheckpoint = "trestle.dev/commit-checkpoint";

    /// <summary>On a launched TrainingJob: the task that launched it.</summary>
    public const string LaunchedBy = "trestle.dev/launched-by";

    /// <summary>On the account <see cref="Names.LogAccount"/>: where logs of Slurm jobs are; a path of the API server, or an address.</summary>
    public const string LogsAt = "trestle.dev/logs-at";

    /// <summary>On a virtual node: that its resources are declared.</summary>
    public const string Virtual = "trestle.dev/virtual";
}

/// <summary>Other names on the wire.</summary>
public static class Names
{
    /// <summary>Scheduling gate of pods that are not admitted.</summary>
    public const string AdmissionGate = "trestle.dev/admission";

    /// <summary>Readiness gate of the replicas of an InferenceService: their weights may be served.</summary>
    public const string WeightsGate = "trestle.dev/weights-current";

    /// <summary>Finalizer of TrainingJobs.</summary>
    public const string JobFinalizer = "trestle.dev/job";

    /// <summary>Finalizer of JobGroups.</summary>
    public const string GroupFinalizer = "trestle.dev/group";

    /// <summary>Finalizer of SlurmJobs: until it is gone the job may be in Slurm.</summary>
    public const string SlurmJobFinalizer = "trestle.dev/slurm-job";

    /// <summary>ServiceAccount of a namespace whose tokens for <see cref="LogAudience"/> read the logs of its Slurm jobs.</summary>
    public const string LogAccount = "trestle-logs";

    /// <summary>Audience of those tokens: they are good for nothing else.</summary>
    public const string LogAudience = "trestle-logs";

    /// <summary>Header with such a token; a proxy on the way may need Authorization for itself.</summary>
    public const string LogTokenHeader = "Trestle-Log-Token";

    /// <summary>Header of an answer: where in the log it begins, in bytes.</summary>
    public const string LogOffsetHeader = "Trestle-Log-Offset";

    /// <summary>Field manager of the operator.</summary>
    public const string FieldManager = "trestle-operator";

    /// <summary>Resource of GPUs.</summary>
    public const string GpuResource = "nvidia.com/gpu";

    /// <summary>Namespace of the operator.</summary>
    public const string SystemNamespace = "trestle-system";

    /// <summary>ConfigMap in <see cref="SystemNamespace"/> that tells clients about the installation.</summary>
    public const string InfoConfigMap = "trestle-info";

    /// <summary>Key in <see cref="InfoConfigMap"/>: directory under which S3 storages become directories on one machine.</summary>
    public const string InfoObjectRoot = "objectRoot";

    /// <summary>Key in <see cref="InfoConfigMap"/>: "local" on one machine.</summary>
    public const string InfoKind = "kind";

    /// <summary>The container of the user's script.</summary>
    public const string MainContainer = "main";

    /// <summary>The init container that waits for all ranks.</summary>
    public const string RendezvousContainer = "rendezvous";

    /// <summary>The sidecar that tells the operator of signs of life.</summary>
    public const string HeartbeatContainer = "heartbeat";

    /// <summary>The container of the engine.</summary>
    public const string EngineContainer = "engine";

    /// <summary>The sidecar that keeps the engine's control routes from the public.</summary>
    public const string FilterContainer = "filter";

    /// <summary>The container of the gateway.</summary>
    public const string GatewayContainer = "gateway";

    /// <summary>The sidecar that brings what is written at a mount to its bucket.</summary>
    public static string CacheMountContainer(int mount) => $"cachemount-{mount}";

    /// <summary>The pod that looks into the bucket of a storage.</summary>
    public static string StorageLookPod(string storage) => $"{storage}-storage-look";

    /// <summary>Name of the pod of a rank.</summary>
    public static string Pod(string job, int rank, int attempt) => $"{job}-{rank}-a{attempt}";

    /// <summary>Name of the object of a task.</summary>
    public static string TaskObject(string group, string task) => $"{group}-{task}";

    /// <summary>Name of the pod of a node of a replica.</summary>
    public static string ReplicaPod(string service, int replica, int node) => $"{service}-{replica}-{node}";

    /// <summary>Name of the gateway of a service: of its pod, its account, its rights and its Secret.</summary>
    public static string Gateway(string service) => $"{service}-gateway";

    /// <summary>Name of the Service where a trainer sends weights.</summary>
    public static string WeightsService(string service) => $"{service}-weights";

    /// <summary>Name of the headless Service of the leaders of ready replicas.</summary>
    public static string ReplicasService(string service) => $"{service}-replicas";

    /// <summary>Name of the headless Service by which the nodes of one replica find each other.</summary>
    public static string NodesService(string service) => $"{service}-nodes";

    /// <summary>Name of the ConfigMap that lists the replicas of a service as they are now.</summary>
    public static string EndpointsConfigMap(string service) => $"{service}-endpoints";

    /// <summary>Name of the ConfigMap with the scripts of a job.</summary>
    public static string LaunchConfigMap(string job) => $"{job}-launch";
}

/// <summary>Paths in the main container.</summary>
public static class Paths
{
    /// <summary>launch.sh, setup.sh, run.sh.</summary>
    public const string Scripts = "/trestle/scripts";

    /// <summary>Shared with the rendezvous container.</summary>
    public const string Run = "/trestle/run";

    /// <summary>POSIX export lines of the launch contract.</summary>
    public const string EnvFile = Run + "/env";

    /// <summary>Touched by the user's code to say that it gets on.</summary>
    public const string HeartbeatFile = Run + "/heartbeat";

    /// <summary>The working directory of the job.</summary>
    public const string Workdir = "/trestle/workdir";

    /// <summary>In the sidecars: the whole caches, one directory a mount.</summary>
    public const string Caches = "/trestle/cache";

    /// <summary>The file in the ConfigMap <see cref="Names.EndpointsConfigMap"/>.</summary>
    public const string EndpointsFile = "endpoints.json";

    /// <summary>Where that ConfigMap of the service of a task is.</summary>
    public static string Service(string task) => $"/trestle/services/{task}";

    /// <summary>Made when the user's code has ended: what is written at the mount is to be brought to its storage.</summary>
    public static string FlushRequest(string run, int mount) => $"{run}/flush-{mount}";

    /// <summary>The answer: empty, or why not all of it is there.</summary>
    public static string FlushAnswer(string run, int mount) => $"{run}/flushed-{mount}";
}
