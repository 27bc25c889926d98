using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;

namespace Trestle.Operator.InferenceServices;

/// <summary>All that a plan for one service is made from.</summary>
/// <param name="Service">The service.</param>
/// <param name="Pods">Its pods, the gateway's among them.</param>
internal sealed record ObservedService(InferenceService Service, IReadOnlyList<PodView> Pods)
{
    /// <summary>Hash of the template of replicas as it is now; null when no pod can be made.</summary>
    public string? ReplicaHash { get; init; }

    /// <summary>Hash of the gateway's pod as it is now.</summary>
    public string? GatewayHash { get; init; }

    /// <summary>Why it can never be served as it is, as a sentence; null when it can.</summary>
    public string? Refusal { get; init; }

    /// <summary>What stands in its way though it may go away; null for nothing.</summary>
    public Obstacle? Obstacle { get; init; }

    /// <summary>Nodes of its pods that are not ready or gone.</summary>
    public IReadOnlySet<string> LostNodes { get; init; } = new HashSet<string>();

    /// <summary>Uids of pods that were told to end though the cache may not show it yet.</summary>
    public IReadOnlySet<string> Deleted { get; init; } = new HashSet<string>();

    /// <summary>By uid of a pod: when it was first seen to be let go without a node having taken it up.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> Released { get; init; } = new Dictionary<string, DateTimeOffset>();

    /// <summary>By replica: how it failed lately.</summary>
    public IReadOnlyDictionary<int, ReplicaFailures> Failures { get; init; } = new Dictionary<int, ReplicaFailures>();

    /// <summary>By replica: what it waits for, as the scheduler says.</summary>
    public IReadOnlyDictionary<int, string> Waits { get; init; } = new Dictionary<int, string>();

    /// <summary>What autoscaling asked for lately, the oldest first.</summary>
    public IReadOnlyList<Recommendation> Recommendations { get; init; } = [];

    /// <summary>How long a node may take to take up a pod.</summary>
    public TimeSpan StartTimeout { get; init; } = new OperatorOptions().StartTimeout;
}
