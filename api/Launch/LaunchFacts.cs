namespace Trestle.Api.Launch;

/// <summary>What is known of an attempt once all its ranks have addresses.</summary>
/// <param name="Name">Name of the job.</param>
/// <param name="Uid">Uid of the job; the task id comes from it.</param>
/// <param name="Attempt">This execution, 1 or more.</param>
/// <param name="Addresses">Address of every rank, in rank order.</param>
/// <param name="GpusPerNode">GPUs of one node, 0 for none.</param>
/// <param name="HeadPort">Port for rank 0 to listen on.</param>
public sealed record LaunchFacts(string Name, string Uid, int Attempt, IReadOnlyList<string> Addresses, int GpusPerNode, int HeadPort)
{
    /// <summary>Namespace of the job.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary>The group, when the job belongs to one.</summary>
    public string? Group { get; init; }

    /// <summary>The task in the group.</summary>
    public string? Task { get; init; }

    /// <summary>Place of the task in the group, 0 for a job by itself.</summary>
    public int TaskIndex { get; init; }

    /// <summary>Tasks of the group, 1 for a job by itself.</summary>
    public int TaskCount { get; init; } = 1;

    /// <summary>First MountCached path.</summary>
    public string? CheckpointDirectory { get; init; }

    /// <summary>The file that a rank may touch to say that it gets on; null when nobody watches.</summary>
    public string? HeartbeatFile { get; init; }

    /// <summary>Where it runs: kubernetes, or slurm/CLUSTER.</summary>
    public string Backend { get; init; } = "kubernetes";

    /// <summary>Type of accelerator, e.g. H100.</summary>
    public string? Accelerator { get; init; }

    /// <summary>Services of the group.</summary>
    public IReadOnlyList<ServiceFacts> Services { get; init; } = [];
}

/// <summary>A service in the same group.</summary>
/// <param name="Task">Name of the task.</param>
/// <param name="Url">Where clients ask.</param>
/// <param name="WeightsUrl">Where the trainer sends weights.</param>
/// <param name="Model">Model name.</param>
/// <param name="Replicas">Number of replicas.</param>
public sealed record ServiceFacts(string Task, string Url, string? WeightsUrl, string Model, int Replicas)
{
    /// <summary>A file that lists its replicas as they are now; null where there is none.</summary>
    public string? EndpointsFile { get; init; }
}
