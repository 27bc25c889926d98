using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;

namespace Trestle.Operator.TrainingJobs;

/// <summary>
/// Reads from the pods of an attempt whether, and by whose fault, it has failed. One failed rank is enough. When a node was
/// lost, that is the cause, whatever the other ranks made of it: they fail because their peer is gone.
/// </summary>
public static class Failures
{
    private const int MaxOutput = 4096; // the schema's limit of status.exit.message

    // What a kubelet says when it has tried and won't get further without a change of the job.
    private static readonly HashSet<string> CannotStart = new(StringComparer.Ordinal)
    {
        "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
        "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError",
    };

    /// <summary>The failure to act on; null while there is none.</summary>
    /// <param name="recovery">Which exit codes are special; may be absent.</param>
    /// <param name="pods">Pods of one attempt.</param>
    /// <param name="lostNodes">Nodes that are not ready or gone: no failure by themselves.</param>
    public static RankFailure? First(Recovery? recovery, IEnumerable<PodView> pods, IReadOnlySet<string> lostNodes)
    {
        var seen = pods.ToList();
        var first = seen.Select(pod => Of(recovery, pod)).OfType<RankFailure>()
            .OrderBy(failure => failure.Cause switch { FailureCause.Infrastructure => 0, FailureCause.Unplaced => 1, _ => 2 })
            // Ends are known to the second: in the same one, an exit code with a meaning is the cause and the others are echoes of it.
            .ThenBy(failure => failure.At ?? DateTime.MaxValue).ThenBy(failure => failure.Cause).ThenBy(failure => failure.Rank)
            .FirstOrDefault();
        if (first is null or { Cause: FailureCause.Infrastructure }) return first;
        return seen.FirstOrDefault(pod => pod.Spec.NodeName is { } node && lostNodes.Contains(node)) is { } lost
            ? Lost(lost, "NodeLost", $"node {lost.Spec.NodeName} of rank {lost.Rank()} was lost, and rank {first.Rank} failed")
            : first;
    }

    /// <summary>How one pod failed; null when it has not.</summary>
    public static RankFailure? Of(Recovery? recovery, PodView pod)
    {
        if (Disruption(pod) is { } disruption) return disruption;
        if (FailedContainer(pod) is { } container) return Ended(recovery, pod, container.Name, container.State!.Terminated!);
        return pod.Status?.Phase switch
        {
            "Failed" => Lost(pod, pod.Status.Reason ?? "PodFailed", $"rank {pod.Rank()}{On(pod)} was ended: {pod.Status.Message ?? pod.Status.Reason ?? "its pod failed without a reason"}"),
            "Unknown" => Lost(pod, "NodeLost", $"rank {pod.Rank()}{On(pod)} is out of reach"),
            "Succeeded" => null,
            _ => Stuck(pod),
        };
    }

    private static RankFailure? Disruption(PodView pod)
    {
        if (pod.Status?.Conditions?.Find(condition => condition is { Type: "DisruptionTarget", Status: "True" }) is { } target)
            return Lost(pod, target.Reason ?? "Disrupted", $"rank {pod.Rank()}{On(pod)} was disrupted: {target.Message ?? target.Reason}");
        // A kubelet that refuses or evicts a pod says why in the reason of the pod; a user's exit code leaves it empty.
        if (pod.Status is { Phase: "Failed", Reason: { Length: > 0 } and not ("DeadlineExceeded" or "Error" or "OOMKilled") } refused)
        {
            return Statuses(pod).All(status => status.State is not ({ Running: not null } or { Terminated: not null }))
                ? Lost(pod, refused.Reason, $"rank {pod.Rank()} was turned away{By(pod)}: {refused.Message ?? refused.Reason}") with { Cause = FailureCause.Unplaced }
                : Lost(pod, refused.Reason, $"rank {pod.Rank()}{On(pod)} was ended by its node: {refused.Message ?? refused.Reason}");
        }

        return pod.IsTerminating() ? Lost(pod, "PodDeleted", $"the pod of rank {pod.Rank()}{On(pod)} was deleted") : null;
    }

    private static ContainerStatusView? FailedContainer(PodView pod) =>
        Statuses(pod).FirstOrDefault(status => status.State?.Terminated is { ExitCode: not 0 }
            && (status.Name == Names.MainContainer || (pod.Status!.InitContainerStatuses?.Contains(status) == true && !IsSidecar(pod, status.Name))));

    // It is ended when the main container is, and started again when it ends by itself: how it ends means nothing.
    private static bool IsSidecar(PodView pod, string name) => pod.Spec.InitContainers?.Exists(container => container.Name == name && container.RestartPolicy == "Always") == true;

    private static RankFailure Ended(Recovery? recovery, PodView pod, string container, TerminatedView ended)
    {
        if (container == Names.RendezvousContainer)
            return Lost(pod, "RendezvousFailed", $"rank {pod.Rank()}{On(pod)} did not meet its peers: {LastLine(ended.Message)}");
        var stage = container != Names.MainContainer ? ExitStage.Start
            : ended.Message?.StartsWith("trestle: setup failed", StringComparison.Ordinal) == true ? ExitStage.Setup
            : ExitStage.Run;
        var outOfMemory = ended.Reason == "OOMKilled";
        var (reason, what) = stage switch
        {
            _ when outOfMemory => ("OutOfMemory", "ran out of memory; raise spec.resources.memory"),
            ExitStage.Setup => ("SetupFailed", $"ended with exit code {ended.ExitCode} in setup"),
            ExitStage.Run => ("RunFailed", $"ended with exit code {ended.ExitCode}"),
            _ => ("StartFailed", $"failed before its start in container {container} with exit code {ended.ExitCode}: {LastLine(ended.Message)}"),
        };
        return new RankFailure(stage == ExitStage.Start ? FailureCause.User : CauseOf(recovery, ended.ExitCode), pod.Rank(), reason, $"rank {pod.Rank()}{On(pod)} {what}")
        {
            Node = pod.Spec.NodeName,
            Code = ended.ExitCode,
            Stage = stage,
            Output = Cut(ended.Message),
            At = ended.FinishedAt,
        };
    }

    internal static FailureCause CauseOf(Recovery? recovery, int code) =>
        recovery?.FailOnExitCodes?.Contains(code) == true ? FailureCause.Final
        : recovery?.RecoverOnExitCodes?.Contains(code) == true ? FailureCause.Recoverable
        : FailureCause.User;

    private static RankFailure? Stuck(PodView pod)
    {
        var stuck = Statuses(pod).FirstOrDefault(status => status.State?.Waiting?.Reason is { } reason && CannotStart.Contains(reason));
        if (stuck?.State?.Waiting is not { } waiting) return null;
        var why = waiting.Message is { Length: > 0 } message ? $"{waiting.Reason}: {message}" : waiting.Reason!;
        return new RankFailure(FailureCause.User, pod.Rank(), "StartFailed", $"rank {pod.Rank()}{On(pod)} can't start: {why}")
        {
            Node = pod.Spec.NodeName,
            Stage = ExitStage.Start,
            Output = Cut(why),
        };
    }

    private static IEnumerable<ContainerStatusView> Statuses(PodView pod) =>
        (pod.Status?.InitContainerStatuses ?? []).Concat(pod.Status?.ContainerStatuses ?? []);

    private static RankFailure Lost(PodView pod, string reason, string message) =>
        new(FailureCause.Infrastructure, pod.Rank(), reason, message) { Node = pod.Spec.NodeName };

    private static string On(PodView pod) => pod.Spec.NodeName is { } node ? $" on node {node}" : "";

    private static string By(PodView pod) => pod.Spec.NodeName is { } node ? $" by node {node}" : "";

    private static string? Cut(string? text) => text is { Length: > MaxOutput } ? text[..MaxOutput] : text;

    private static string LastLine(string? text) => text?.TrimEnd().Split('\n')[^1] is { Length: > 0 } line ? line : "it said nothing";
}
