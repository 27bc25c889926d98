using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;

namespace Trestle.Operator.InferenceServices;

/// <summary>What to do for a service now.</summary>
/// <param name="Status">The status as it should be; the operator's fields of it alone are written.</param>
/// <param name="Effects">What to do, in this order; all may be repeated.</param>
/// <param name="RequeueAfter">When to look again without a change; null for never.</param>
internal sealed record ServicePlan(InferenceServiceStatus Status, IReadOnlyList<ServiceEffect> Effects, TimeSpan? RequeueAfter)
{
    /// <summary>Ready replicas that a drain must leave.</summary>
    public int Fewest { get; init; }

    /// <summary>The replicas, for jobs that ask them.</summary>
    public required V1ConfigMap Endpoints { get; init; }

    /// <summary>What autoscaling asks for at this moment; null without it.</summary>
    public int? Recommended { get; init; }
}

/// <summary>A change of the world.</summary>
internal abstract record ServiceEffect;

/// <summary>Creates pods of a replica, held back by the admission gate.</summary>
internal sealed record MakePods(int Replica, IReadOnlyList<int> Nodes) : ServiceEffect;

/// <summary>Ends a replica.</summary>
/// <param name="Replica">Its ordinal.</param>
/// <param name="Pods">Its pods.</param>
/// <param name="Trouble">Why, when something is wrong; null when it is outdated or too many.</param>
internal sealed record EndReplica(int Replica, IReadOnlyList<PodView> Pods, Trouble? Trouble) : ServiceEffect;

/// <summary>Lets pods go that should have ended by now on a node that is gone: nobody else ever would.</summary>
internal sealed record ForgetPods(IReadOnlyList<PodView> Pods) : ServiceEffect;

/// <summary>Creates the gateway's pod.</summary>
internal sealed record MakeGateway : ServiceEffect;

/// <summary>Ends the gateway's pod, so that it is made anew.</summary>
internal sealed record EndGateway(PodView Pod) : ServiceEffect;
