namespace Trestle.Local.Plane.Slurm;

/// <summary>A Slurm cluster that jobs of a plane can be placed on: how to reach it, and who jobs are there. Holds paths of keys, never keys.</summary>
public sealed record SlurmAttachment
{
    /// <summary>Name of the SlurmCluster, as placements have it.</summary>
    public required string Name { get; init; }

    /// <summary>Name or address of the login node; null when it is this machine and commands run here.</summary>
    public string? Host { get; init; }

    /// <summary>Port of its sshd.</summary>
    public int Port { get; init; } = 22;

    /// <summary>User name on the cluster.</summary>
    public required string User { get; init; }

    /// <summary>Absolute path of the private key; null without SSH.</summary>
    public string? KeyFile { get; init; }

    /// <summary>Absolute path of the host keys that are trusted; null without SSH.</summary>
    public string? KnownHostsFile { get; init; }

    /// <summary>Hosts to go through, in order: [user@]host[:port].</summary>
    public IReadOnlyList<string> JumpHosts { get; init; } = [];

    /// <summary>Namespaces whose jobs may go there.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = ["default"];

    /// <summary>Partition of jobs that name none.</summary>
    public string? Partition { get; init; }

    /// <summary>Account of jobs that name none.</summary>
    public string? Account { get; init; }

    /// <summary>Quality of service of jobs that name none.</summary>
    public string? Qos { get; init; }

    /// <summary>Where attempt directories are on the cluster; ~/.trestle when null.</summary>
    public string? WorkRoot { get; init; }

    /// <summary>How often the cluster is asked, e.g. 5s; the bridge's default when null.</summary>
    public string? Poll { get; init; }

    /// <summary>Where it is, for people.</summary>
    public string Where => Host is null ? "this machine" : $"{User}@{(Host.Contains(':') ? $"[{Host}]" : Host)}{(Port == 22 ? "" : $":{Port}")}";
}
