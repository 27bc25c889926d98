namespace Trestle.Runtime;

/// <summary>One thing a program can be told, by a flag or by an environment variable; the flag wins.</summary>
/// <param name="Name">E.g. node-image: the flag is --node-image, the variable TRESTLE_NODE_IMAGE.</param>
/// <param name="Default">Value when it is not given; null for none.</param>
/// <param name="Help">One line.</param>
public sealed record Setting(string Name, string? Default, string Help)
{
    /// <summary>Path of a kubeconfig.</summary>
    public static readonly Setting Kubeconfig = new("kubeconfig", null, "path of a kubeconfig; when left out the pod's own service account, else KUBECONFIG or ~/.kube/config");

    /// <summary>Where health is served.</summary>
    public static readonly Setting HealthListen = new("health-listen", "http://*:8081", "where /healthz and /readyz are served");

    /// <summary>How long a dead holder's lease lasts.</summary>
    public static readonly Setting LeaseSeconds = new("lease-seconds", "10", "how long the lease of a process that died keeps others out, 3 to 300");

    /// <summary>Least level that is written.</summary>
    public static readonly Setting LogLevel = new("log-level", "Information", "Trace, Debug, Information, Warning or Error");

    /// <summary>How log lines are written.</summary>
    public static readonly Setting LogFormat = new("log-format", "text", "text or json");

    /// <summary>As an argument.</summary>
    public string Flag => "--" + Name;

    /// <summary>As an environment variable.</summary>
    public string Variable => "TRESTLE_" + Name.ToUpperInvariant().Replace('-', '_');

    /// <summary>Both, for messages.</summary>
    public string Both => $"{Variable} ({Flag})";
}
