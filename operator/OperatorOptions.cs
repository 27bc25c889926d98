using Trestle.Api.Launch;

namespace Trestle.Operator;

/// <summary>How an operator runs.</summary>
public sealed record OperatorOptions
{
    /// <summary>Path of a kubeconfig; when null the pod's own service account, else KUBECONFIG or ~/.kube/config.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Image of jobs without spec.image; when null they are refused.</summary>
    public string? DefaultImage { get; init; }

    /// <summary>Image with trestle-node; when null the job's image is used and trestle-node must be on its PATH.</summary>
    public string? NodeImage { get; init; }

    /// <summary>Image with trestle-weights-gateway, of the gateways of services and the filters beside their engines; when null it must be on the PATH of the node image or the engine's.</summary>
    public string? GatewayImage { get; init; }

    /// <summary>True on one machine, where all pods share its network: each then listens on its own address alone.</summary>
    public bool SharedNetwork { get; init; }

    /// <summary>Directory under which storages that are mounted and don't exist are made; when null such jobs wait.</summary>
    public string? DefaultStorageRoot { get; init; }

    /// <summary>Where the rendezvous server listens. Port 0 takes a free one, and ranks that wait while the operator restarts don't find it again.</summary>
    public string RendezvousListen { get; init; } = "http://127.0.0.1:0";

    /// <summary>Address of the rendezvous server as pods reach it; when null the one it listens on.</summary>
    public string? RendezvousUrl { get; init; }

    /// <summary>Where GET /metrics is answered, without a login, e.g. http://0.0.0.0:9464; nowhere when null.</summary>
    public string? MetricsListen { get; init; }

    /// <summary>Name under which Volcano schedules pods.</summary>
    public string VolcanoScheduler { get; init; } = "volcano";

    /// <summary>Name of the scheduler that has the coscheduling plugin.</summary>
    public string CoschedulingScheduler { get; init; } = "scheduler-plugins-scheduler";

    /// <summary>Namespace of the operator's own objects.</summary>
    public string Namespace { get; init; } = Names.SystemNamespace;

    /// <summary>Who waited so long for nodes has them reserved, so that smaller jobs don't pass any more.</summary>
    public TimeSpan StarvationTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A rank that no node has taken up by then is not going to start there: its attempt is given up and queued again.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Name of the pod it runs in, which is marked while it leads; null when it runs in none.</summary>
    public string? PodName { get; init; }

    /// <summary>False when nobody else runs an operator on this API server.</summary>
    public bool LeaderElection { get; init; } = true;

    /// <summary>How long the lease of a leader that died keeps others out, in seconds; at least 3.</summary>
    public int LeaseSeconds { get; init; } = 10;

    /// <summary>Service account that jobs with submitsJobs run as, in their own namespace; when null the namespace's default one.</summary>
    public string? LauncherAccount { get; init; }
}
