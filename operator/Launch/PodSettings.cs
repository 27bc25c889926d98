namespace Trestle.Operator.Launch;

/// <summary>What all pods of an installation have in common.</summary>
/// <param name="DefaultImage">Image of jobs that name none.</param>
/// <param name="NodeImage">Image with trestle-node; when null it is found on the PATH of the default image or the job's own.</param>
/// <param name="RendezvousUrl">Address of the rendezvous server, without a trailing slash.</param>
/// <param name="StorageRoot">Directory under which missing storages are made; null: they must exist.</param>
public sealed record PodSettings(string? DefaultImage, string? NodeImage, string RendezvousUrl, string? StorageRoot)
{
    /// <summary>How long a node may take to take up a rank.</summary>
    public TimeSpan StartTimeout { get; init; } = new OperatorOptions().StartTimeout;

    /// <summary>Image with trestle-weights-gateway; when null it is found on the PATH of the engine's image.</summary>
    public string? GatewayImage { get; init; }

    /// <summary>All pods share the network of one machine: each listens on its own address alone, an engine too.</summary>
    public bool SharedNetwork { get; init; }

    /// <summary>Service account of jobs that submit jobs; the namespace's default when null.</summary>
    public string? LauncherAccount { get; init; }
}
