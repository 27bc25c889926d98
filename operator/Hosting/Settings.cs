using Trestle.Runtime;

namespace Trestle.Operator.Hosting;

/// <summary>All settings of the operator program.</summary>
internal static class Settings
{
    public static readonly Setting Namespace = new("namespace", "trestle-system", "namespace of the operator's lease and Secret");
    public static readonly Setting PodName = new("pod-name", null, "the operator's own pod, labelled trestle.dev/leader while it leads");
    public static readonly Setting DefaultImage = new("default-image", null, "image of jobs without spec.image; when left out they are refused");
    public static readonly Setting NodeImage = new("node-image", null, "image with trestle-node; when left out trestle-node must be in the job's image");
    public static readonly Setting GatewayImage = new("gateway-image", null, "image with trestle-weights-gateway, for services; when left out it must be in the node image or the engine's");
    public static readonly Setting DefaultStorageRoot = new("default-storage-root", null, "absolute directory under which missing storages are made; when left out such jobs wait");
    public static readonly Setting LauncherAccount = new("launcher-account", null, "service account, in their own namespace, of jobs with submitsJobs; when left out the namespace's default one");
    public static readonly Setting RendezvousListen = new("rendezvous-listen", "http://*:8090", "where ranks of a job meet");
    public static readonly Setting RendezvousUrl = new("rendezvous-url", null, "address of the same as pods reach it");
    public static readonly Setting MetricsListen = new("metrics-listen", null, "where /metrics is served, without a login; nowhere when left out");
    public static readonly Setting StarvationTimeout = new("starvation-timeout", "10m", "a job that waited so long has nodes reserved for it");
    public static readonly Setting StartTimeout = new("start-timeout", "60s", "a rank that its node has not taken up by then sends the job elsewhere");
    public static readonly Setting LeaderElection = new("leader-election", "true", "false when nobody else runs an operator on this cluster");

    /// <summary>In the order of <c>--help</c>.</summary>
    public static readonly IReadOnlyList<Setting> All =
    [
        Setting.Kubeconfig, Namespace, PodName, DefaultImage, NodeImage, GatewayImage, DefaultStorageRoot, LauncherAccount,
        RendezvousListen, RendezvousUrl, Setting.HealthListen, MetricsListen, StarvationTimeout, StartTimeout, LeaderElection, Setting.LeaseSeconds, Setting.LogLevel, Setting.LogFormat,
    ];
}
