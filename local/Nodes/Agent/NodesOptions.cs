namespace Trestle.Local.Nodes.Agent;

/// <summary>Settings of the node agent.</summary>
public sealed record NodesOptions
{
    /// <summary>Directory of the local plane's state.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Number of virtual nodes, named node-0, node-1…</summary>
    public int Nodes { get; init; } = 4;

    /// <summary>Declared accelerator of every node, such as H100; null for none.</summary>
    public string? GpuType { get; init; }

    /// <summary>Declared accelerators of every node.</summary>
    public int GpuCount { get; init; }

    /// <summary>Declared CPUs of every node. Not the machine's own: jobs written for large nodes must fit.</summary>
    public string Cpus { get; init; } = "128";

    /// <summary>Declared memory of every node.</summary>
    public string Memory { get; init; } = "2Ti";

    /// <summary>Pods a node takes.</summary>
    public int Pods { get; init; } = 250;

    /// <summary>PATH of containers behind the state's own bin.</summary>
    public string Path { get; init; } = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Directories containers must see at their own path, such as the programs in the state's bin.</summary>
    public IReadOnlyList<string> SharedPaths { get; init; } = [];

    /// <summary>How long after a node's failure the rest of the cluster knows of it.</summary>
    public TimeSpan DetectionTime { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long after a node's failure its pods are given up, so that who watches nodes sees the node go first.</summary>
    public TimeSpan Toleration { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest grace of pods when the agent is stopped for good.</summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Throws <see cref="ArgumentException"/> naming the field that is wrong.</summary>
    public void Validate()
    {
#pragma warning disable MA0015 // the field's name is in the message; there is no parameter
        if (!System.IO.Path.IsPathFullyQualified(StateDirectory)) throw new ArgumentException($"StateDirectory must be an absolute path; got '{StateDirectory}'");
        if (Nodes is < 1 or > 1000) throw new ArgumentException($"Nodes must be 1 to 1000; got {Nodes}");
        if (GpuCount is < 0 or > 1024) throw new ArgumentException($"GpuCount must be 0 to 1024; got {GpuCount}");
#pragma warning restore MA0015
    }
}
