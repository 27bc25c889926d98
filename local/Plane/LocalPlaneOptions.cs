using Trestle.Local.Plane.Slurm;

namespace Trestle.Local.Plane;

/// <summary>What <c>trestle local up</c> can be told.</summary>
public sealed record LocalPlaneOptions
{
    /// <summary>Absolute path of the directory that holds everything; null for the user's default one.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Port of the Kubernetes API on 127.0.0.1; 0 keeps the last one or takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Number of virtual nodes.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Accelerator every node declares, such as H100; null for none.</summary>
    public string? GpuType { get; init; }

    /// <summary>How many of them.</summary>
    public int GpuCount { get; init; }

    /// <summary>Start no operator: one is run by hand against the kubeconfig.</summary>
    public bool NoOperator { get; init; }

    /// <summary>Absolute path of the directory of storages; null for one below the state directory.</summary>
    public string? StorageRoot { get; init; }

    /// <summary>Slurm clusters that jobs can be placed on.</summary>
    public IReadOnlyList<SlurmAttachment> Slurm { get; init; } = [];

    /// <summary>Return as soon as it is ready, and leave it running.</summary>
    public bool Detach { get; init; }
}
