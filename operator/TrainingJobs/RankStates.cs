using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;

namespace Trestle.Operator.TrainingJobs;

/// <summary>Reads from a pod what its rank is doing.</summary>
public static class RankStates
{
    /// <summary>The schema's limit of status.nodes.ranks.</summary>
    public const int MaxShown = 256;

    /// <summary>One rank as status shows it.</summary>
    public static RankStatus Of(PodView pod) => new()
    {
        Rank = pod.Rank(),
        Name = pod.Metadata.Name,
        Node = pod.Spec.NodeName,
        Ip = pod.Status?.PodIP,
        State = State(pod),
        ExitCode = Main(pod)?.Terminated?.ExitCode,
    };

    /// <summary>What its rank is doing.</summary>
    public static RankState State(PodView pod)
    {
        if (pod.IsTerminating() && !pod.IsTerminal()) return RankState.Terminating;
        if (Failures.Of(null, pod) is { } failure) return failure.Cause is FailureCause.Infrastructure or FailureCause.Unplaced ? RankState.Lost : RankState.Failed;
        if (pod.Status?.Phase == "Succeeded") return RankState.Succeeded;
        if (Main(pod)?.Running is not null) return RankState.Running;
        return pod.IsGated() ? RankState.Pending : RankState.Starting;
    }

    /// <summary>Its container has started, whatever became of it.</summary>
    public static bool HasStarted(PodView pod) => Main(pod) is { Running: not null } or { Terminated: not null };

    /// <summary>A node has taken it up.</summary>
    public static bool IsTaken(PodView pod) =>
        pod.Spec.NodeName is not null && (pod.IsTerminal() || pod.Status?.ContainerStatuses is { Count: > 0 } || pod.Status?.InitContainerStatuses is { Count: > 0 });

    /// <summary>When its container ended; null while it has not.</summary>
    public static DateTime? FinishedAt(PodView pod) => Main(pod)?.Terminated?.FinishedAt;

    private static ContainerStateView? Main(PodView pod) =>
        pod.Status?.ContainerStatuses?.Find(status => status.Name == Names.MainContainer)?.State;
}
