using Trestle.Api.Launch;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.InferenceServices;

/// <summary>
/// The life of a service, as one decision at a time: from what is seen now to its pods and its status. Pure. The scheduler
/// alone lets pods of replicas go; the gateway alone says which replicas are current.
/// </summary>
internal static class ServicePlanner
{
    /// <summary>When to look again at what nobody tells of.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    // How often autoscaling looks while it waits to go down.
    private static readonly TimeSpan ScaleInterval = TimeSpan.FromSeconds(15);

    /// <summary>What to do now.</summary>
    public static ServicePlan Plan(ObservedService seen, DateTimeOffset now)
    {
        var (wanted, recommended) = Wanted(seen, now);
        var replicas = Replicas(seen, now);
        var rollout = Rollout.Of(replicas, wanted, seen.Service.Spec.Rollout);
        // One may always go: else no node with a replica could ever be drained.
        var fewest = Math.Max(0, Math.Min(rollout.Fewest, wanted - 1));
        var (status, endpoints) = (ServiceStatuses.Of(seen, replicas, wanted, rollout, now), ServiceEndpoints.Of(seen.Service, replicas));
        if (seen.Service.IsDeleting() || seen.Refusal is not null || seen.Obstacle is not null)
            return new ServicePlan(status, [], seen.Obstacle is null ? null : LookAgain) { Fewest = fewest, Recommended = recommended, Endpoints = endpoints };
        var (effects, again) = Act(seen, replicas, rollout, now);
        if (recommended is not null) again = Sooner(again, ScaleInterval);
        return new ServicePlan(status, effects, again) { Fewest = fewest, Recommended = recommended, Endpoints = endpoints };
    }

    /// <summary>The replicas, those that are gone left out.</summary>
    public static IReadOnlyList<Replica> Replicas(ObservedService seen, DateTimeOffset now) =>
    [
        .. seen.Pods.Where(pod => pod.IsOfReplica()).GroupBy(pod => pod.Replica()).OrderBy(group => group.Key).Select(group =>
        {
            var leaving = group.Where(pod => IsLeaving(seen, pod)).ToList();
            var staying = group.Where(pod => !IsLeaving(seen, pod)).OrderBy(pod => pod.Rank()).ToList();
            return new Replica(group.Key, seen.Service.NodesPerReplica, staying, leaving, seen.ReplicaHash, ReplicaTroubles.Of(seen, staying, leaving, now));
        }),
    ];

    /// <summary>The gateway's pod that was not told to end; null when there is none.</summary>
    public static PodView? Gateway(ObservedService seen) =>
        seen.Pods.FirstOrDefault(pod => pod.Metadata.Name == Names.Gateway(seen.Service.Metadata.Name) && !IsLeaving(seen, pod));

    private static (int Wanted, int? Recommended) Wanted(ObservedService seen, DateTimeOffset now)
    {
        var (spec, status) = (seen.Service.Spec, seen.Service.Status);
        if (spec.Autoscaling is not { } scaling) return (seen.Service.FirstReplicas, null);
        var before = status?.DesiredReplicas is { } known ? Autoscaler.Within(scaling, known) : seen.Service.FirstReplicas;
        var recommended = Autoscaler.Recommend(scaling, status?.Load, before);
        return (Autoscaler.Decide(scaling, before, recommended, seen.Recommendations.Where(one => one.At > now - Autoscaler.Window)), recommended);
    }

    private static (IReadOnlyList<ServiceEffect> Effects, TimeSpan? Again) Act(ObservedService seen, IReadOnlyList<Replica> replicas, Rollout rollout, DateTimeOffset now)
    {
        var effects = new List<ServiceEffect>();
        var again = (TimeSpan?)null;
        TendGateway();
        effects.AddRange(replicas.Where(replica => replica.Trouble is not null).Select(replica => new EndReplica(replica.Ordinal, replica.Pods, replica.Trouble)));
        effects.AddRange(rollout.End.Select(replica => new EndReplica(replica.Ordinal, replica.Pods, null)));
        Make();
        Forget();
        if (seen.Released.Count > 0 || replicas.Any(replica => replica.IsWaiting)) again = Sooner(again, LookAgain);
        return (effects, again);

        // A gateway of an old template is followed by one of the new, never met by it: two would give orders to the same engines.
        void TendGateway()
        {
            if (Gateway(seen) is { } gateway)
            {
                var isLost = gateway.Spec.NodeName is { } node && seen.LostNodes.Contains(node);
                var isOutdated = gateway.Label(Labels.TemplateHash) != seen.GatewayHash;
                // Weights that travel while it is replaced would be lost on all replicas.
                var isBusy = ServiceStatuses.IsUpdating(seen.Service.Status?.Weights);
                if (gateway.IsTerminal() || isLost || (isOutdated && !isBusy)) effects.Add(new EndGateway(gateway));
                else if (isOutdated) again = Sooner(again, LookAgain);
            }
            else if (seen.Pods.All(pod => pod.Metadata.Name != Names.Gateway(seen.Service.Metadata.Name)))
            {
                effects.Add(new MakeGateway());
            }
        }

        void Make()
        {
            var there = replicas.ToDictionary(replica => replica.Ordinal);
            var ending = rollout.End.Select(replica => replica.Ordinal).ToHashSet();
            for (var ordinal = 0; ordinal < rollout.Keep; ordinal++)
            {
                var known = there.GetValueOrDefault(ordinal);
                if (ending.Contains(ordinal) || known is { Trouble: not null } || known?.Leaving.Count > 0) continue;
                var missing = known?.Missing ?? [.. Enumerable.Range(0, seen.Service.NodesPerReplica)];
                if (missing.Count == 0) continue;
                if (known is null && seen.Failures.TryGetValue(ordinal, out var failures) && failures.NotBefore > now) again = Sooner(again, failures.NotBefore - now);
                else effects.Add(new MakePods(ordinal, missing));
            }
        }

        void Forget()
        {
            var onLost = seen.Pods.Where(pod => pod.IsTerminating() && pod.Spec.NodeName is { } node && seen.LostNodes.Contains(node)).ToList();
            var due = onLost.Where(pod => pod.Metadata.DeletionTimestamp <= now.UtcDateTime).ToList();
            if (due.Count > 0) effects.Add(new ForgetPods(due));
            if (onLost.Count > due.Count) again = Sooner(again, LookAgain);
        }
    }

    private static bool IsLeaving(ObservedService seen, PodView pod) => pod.IsTerminating() || seen.Deleted.Contains(pod.Metadata.Uid);

    private static TimeSpan Sooner(TimeSpan? one, TimeSpan other) => one < other ? one.Value : other;
}
