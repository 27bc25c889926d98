namespace Trestle.Api.Launch;

/// <summary>Names of the environment variables of the launch contract; the same on Kubernetes and Slurm.</summary>
public static class Variables
{
    /// <summary>0..n-1.</summary>
    public const string NodeRank = "TRESTLE_NODE_RANK";

    /// <summary>Addresses in rank order, one a line.</summary>
    public const string NodeIps = "TRESTLE_NODE_IPS";

    /// <summary>n.</summary>
    public const string NumNodes = "TRESTLE_NUM_NODES";

    /// <summary>GPUs of one node.</summary>
    public const string NumGpusPerNode = "TRESTLE_NUM_GPUS_PER_NODE";

    /// <summary>Address of rank 0.</summary>
    public const string HeadAddress = "TRESTLE_HEAD_ADDR";

    /// <summary>Port for rank 0 to listen on.</summary>
    public const string HeadPort = "TRESTLE_HEAD_PORT";

    /// <summary>Stable across attempts.</summary>
    public const string TaskId = "TRESTLE_TASK_ID";

    /// <summary>This execution.</summary>
    public const string Attempt = "TRESTLE_ATTEMPT";

    /// <summary>Name of the group.</summary>
    public const string JobGroup = "TRESTLE_JOB_GROUP";

    /// <summary>Name of the task in the group.</summary>
    public const string Task = "TRESTLE_TASK";

    /// <summary>First MountCached path.</summary>
    public const string CheckpointDirectory = "TRESTLE_CHECKPOINT_DIR";

    /// <summary>Name of the checkpoint that an onCheckpoint job was started for.</summary>
    public const string Checkpoint = "TRESTLE_CHECKPOINT";

    /// <summary>Where that checkpoint is.</summary>
    public const string CheckpointUri = "TRESTLE_CHECKPOINT_URI";

    /// <summary>Address of this rank.</summary>
    public const string NodeIp = "TRESTLE_NODE_IP";

    /// <summary>A file that a rank may touch to say that it gets on; set with recovery.hangTimeout.</summary>
    public const string HeartbeatFile = "TRESTLE_HEARTBEAT_FILE";

    /// <summary>Numbers of the mounts that launch.sh waits for at the end of run.</summary>
    public const string FlushedMounts = "TRESTLE_FLUSHED_MOUNTS";

    /// <summary>Where clients of the service of a task ask.</summary>
    public static string ServiceUrl(string task) => $"TRESTLE_{Word(task)}_URL";

    /// <summary>Where the trainer sends weights of the service of a task.</summary>
    public static string ServiceWeightsUrl(string task) => $"TRESTLE_{Word(task)}_WEIGHTS_URL";

    /// <summary>Model name of the service of a task.</summary>
    public static string ServiceModel(string task) => $"TRESTLE_{Word(task)}_MODEL";

    /// <summary>Replicas of the service of a task.</summary>
    public static string ServiceReplicas(string task) => $"TRESTLE_{Word(task)}_REPLICAS";

    /// <summary>A file that lists the replicas of the service of a task as they are now.</summary>
    public static string ServiceEndpoints(string task) => $"TRESTLE_{Word(task)}_ENDPOINTS";

    private static string Word(string task) => string.Concat(task.Select(letter => char.IsAsciiLetterOrDigit(letter) ? char.ToUpperInvariant(letter) : '_'));
}
