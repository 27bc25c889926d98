namespace Trestle.Operator.Scheduling.Modes.Kueue;

/// <summary>Names of Kueue's API.</summary>
internal static class KueueApi
{
    public const string Group = "kueue.x-k8s.io";
    public const string Version = "v1beta2";
    public const string ApiVersion = Group + "/" + Version;

    /// <summary>Our only set of pods.</summary>
    public const string PodSet = "main";

    // Conditions of a Workload.
    public const string QuotaReserved = "QuotaReserved";
    public const string Admitted = "Admitted";
    public const string Evicted = "Evicted";
    public const string PodsReady = "PodsReady";
    public const string Requeued = "Requeued";
    public const string Finished = "Finished";

    // What Kueue looks for on pods when it has chosen their topology domains.
    public const string TopologyGate = Group + "/topology";
    public const string WorkloadAnnotation = Group + "/workload";
    public const string PodSetLabel = Group + "/podset";
}
