using Trestle.Api.Launch;

namespace Trestle.Bridge;

/// <summary>How a bridge runs.</summary>
public sealed record BridgeOptions
{
    /// <summary>Path of a kubeconfig; when null the pod's own service account, else KUBECONFIG or ~/.kube/config.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Namespace of the bridge's leases and Secret, and of Secrets that name none.</summary>
    public string Namespace { get; init; } = Names.SystemNamespace;

    /// <summary>Where logs of jobs are served. Port 0 takes a free one.</summary>
    public string LogsListen { get; init; } = "http://127.0.0.1:0";

    /// <summary>Where readers find the logs: a path of the API server (a Service's proxy) or an address. Null: people can't.</summary>
    public string? LogsAt { get; init; }

    /// <summary>How long the lease of a bridge that died keeps others out, in seconds; at least 3.</summary>
    public int LeaseSeconds { get; init; } = 10;
}
