using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;

namespace Trestle.Operator.InferenceServices;

/// <summary>What is wrong with a replica, so that it must be made anew: its pods live and die together. Pure.</summary>
internal static class ReplicaTroubles
{
    private const string Stalled = "Stalled";
    private const string Quarantined = "Quarantined";

    // What the gateway said of the pod before this one is not held against it.
    private static readonly TimeSpan TooYoung = TimeSpan.FromMinutes(1);

    /// <summary>The first that is found; null for none.</summary>
    public static Trouble? Of(ObservedService seen, IReadOnlyList<PodView> pods, IReadOnlyList<PodView> leaving, DateTimeOffset now)
    {
        if (pods.Count == 0) return null;
        if (leaving.Count > 0) return new Trouble("PodDeleted", $"pod {leaving[0].Metadata.Name} of it was told to end", Counts: false);
        foreach (var pod in pods)
        {
            if (Of(seen, pod, now) is { } trouble) return trouble;
        }

        if (pods.Count < seen.Service.NodesPerReplica && !pods.All(pod => pod.IsGated()))
            return new Trouble("PodDeleted", $"it has {pods.Count} of {seen.Service.NodesPerReplica} pods left", Counts: false);
        return OfGateway(seen, pods, now);
    }

    private static Trouble? Of(ObservedService seen, PodView pod, DateTimeOffset now)
    {
        var node = pod.Spec.NodeName;
        if (pod.IsTerminal()) return Ended(pod);
        if (node is not null && seen.LostNodes.Contains(node)) return new Trouble("NodeLost", $"node {node} of pod {pod.Metadata.Name} is not ready", Counts: false);
        return node is null && seen.Released.TryGetValue(pod.Metadata.Uid, out var since) && now >= since + seen.StartTimeout
            ? new Trouble("NotStarted", $"pod {pod.Metadata.Name} was not taken up by its node within {Duration.Format(seen.StartTimeout)}", Counts: true)
            : null;
    }

    private static Trouble Ended(PodView pod)
    {
        if (pod.Status?.Reason is { } reason) return new Trouble(reason, $"pod {pod.Metadata.Name} was ended: {pod.Status.Message ?? reason}", Counts: false);
        if (pod.Condition("DisruptionTarget") is { } target) return new Trouble("Disrupted", $"pod {pod.Metadata.Name} was ended: {target.Message ?? target.Reason}", Counts: false);
        var exit = pod.Status?.ContainerStatuses?.Find(container => container.Name == Names.EngineContainer)?.State?.Terminated;
        var said = exit?.Message is { Length: > 0 } words ? $": {words.Trim()}" : "";
        return new Trouble(exit?.Reason is { Length: > 0 } word ? word : "EngineEnded", $"the engine of pod {pod.Metadata.Name} ended{(exit is null ? "" : $" with exit code {exit.ExitCode}")}{said}", Counts: true);
    }

    private static Trouble? OfGateway(ObservedService seen, IReadOnlyList<PodView> pods, DateTimeOffset now)
    {
        var (service, leader) = (seen.Service, pods.FirstOrDefault(pod => pod.Rank() == 0));
        if (leader is null || State(service, leader, now) is not { } state) return null;
        return state switch
        {
            Stalled when service.Spec.Health?.Stall?.Action is null or StallAction.Restart => new Trouble(Stalled, "requests run and no token came", Counts: true),
            Quarantined when service.Spec.Weights?.OnFailure == WeightsFailure.Restart => new Trouble(Quarantined, "it failed an update of its weights", Counts: true),
            _ => null,
        };
    }

    private static string? State(InferenceService service, PodView leader, DateTimeOffset now)
    {
        var told = service.Status?.ReplicaStatuses?.Find(known => known.Name == leader.Metadata.Name);
        if (told is null || (told.Uid is { } uid && uid != leader.Metadata.Uid)) return null;
        return told.Uid is null && leader.Metadata.CreationTimestamp is { } made && now.UtcDateTime < made + TooYoung ? null : told.State;
    }
}
