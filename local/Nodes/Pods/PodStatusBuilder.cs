using k8s.Models;

namespace Trestle.Local.Nodes.Pods;

/// <summary>Says what a pod is doing in the words of the Kubernetes API. Pure.</summary>
public static class PodStatusBuilder
{
    private static readonly string[] Own = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

    /// <summary>Whether the node agent alone sets the condition. The others belong to whoever set them, e.g. readiness gates.</summary>
    public static bool IsOwn(V1PodCondition condition) => Own.Contains(condition.Type);

    /// <summary>Conditions as they are now: our own as they were published last, as the watch may not have brought them back yet, and those of others as they are on the server.</summary>
    /// <param name="published">What was published last.</param>
    /// <param name="served">What the server has.</param>
    public static List<V1PodCondition> Present(IEnumerable<V1PodCondition> published, IEnumerable<V1PodCondition> served)
    {
        var theirs = served.Where(condition => !IsOwn(condition)).ToList();
        return [.. published.Where(ours => IsOwn(ours) || theirs.TrueForAll(other => other.Type != ours.Type)), .. theirs];
    }

    /// <summary>The status to publish.</summary>
    public static V1PodStatus Build(PodObservation seen, StopCause? cause, bool finished)
    {
        var pod = seen.Pod;
        var old = pod.Status;
        var ended = old?.Phase is "Succeeded" or "Failed";
        var initialized = PodPlanner.Initialized(pod, seen.Slots);
        var inits = (pod.Spec.InitContainers ?? []).Select(c => Container(seen, c, true, initialized, finished)).ToList();
        var mains = pod.Spec.Containers.Select(c => Container(seen, c, false, initialized, finished)).ToList();
        var phase = ended ? old!.Phase : Phase(seen, cause, finished, initialized);
        var status = new V1PodStatus
        {
            Phase = phase,
            Reason = ended ? old!.Reason : cause?.Reason ?? old?.Reason,
            Message = ended ? old!.Message : cause?.Message ?? old?.Message,
            HostIP = seen.HostAddress,
            HostIPs = [new V1HostIP { Ip = seen.HostAddress }],
            PodIP = seen.PodAddress,
            PodIPs = [new V1PodIP { Ip = seen.PodAddress }],
            QosClass = old?.QosClass,
            ObservedGeneration = pod.Metadata.Generation,
            StartTime = old?.StartTime ?? seen.Now.UtcDateTime,
            InitContainerStatuses = inits.Count > 0 ? inits : null,
            ContainerStatuses = mains,
        };
        status.Conditions = Conditions(seen, cause, phase, initialized, mains, inits);
        return status;
    }

    private static string Phase(PodObservation seen, StopCause? cause, bool finished, bool initialized)
    {
        var pod = seen.Pod;
        if (finished)
        {
            if (cause is not null) return "Failed";
            return initialized && pod.Spec.Containers.All(c => seen.Slots[c.Name] is { Phase: ContainerPhase.Exited, Exit.Code: 0 }) ? "Succeeded" : "Failed";
        }

        return initialized && pod.Spec.Containers.Any(c => seen.Slots[c.Name] is var s && (s.Phase != ContainerPhase.Waiting || s.Restarts > 0)) ? "Running" : "Pending";
    }

    private static V1ContainerStatus Container(PodObservation seen, V1Container container, bool isInit, bool initialized, bool finished)
    {
        var slot = seen.Slots[container.Name];
        var again = !finished && slot.Exit is { } exit && PodPlanner.RunsAgain(seen.Pod, container, isInit, exit);
        var done = isInit && !PodPlanner.IsSidecar(container) && slot is { Phase: ContainerPhase.Exited, Exit.Code: 0 };
        return new V1ContainerStatus
        {
            Name = container.Name,
            Image = container.Image ?? "",
            ImageID = "",
            ContainerID = slot.Phase == ContainerPhase.Waiting && slot.Exit is null ? null : Id(seen.Pod, slot),
            RestartCount = slot.Restarts,
            Ready = done || (slot.Phase == ContainerPhase.Running && slot.Ready),
            Started = slot.Phase == ContainerPhase.Running && slot.Started,
            State = State(seen, slot, isInit, initialized, again),
            LastState = new V1ContainerState { Terminated = LastExit(slot, again) is { } last ? Terminated(seen.Pod, slot, last) : null },
        };
    }

    private static ContainerExit? LastExit(ContainerSlot slot, bool again) => slot.Phase == ContainerPhase.Exited && !again ? slot.Previous : slot.Exit ?? slot.Previous;

    private static V1ContainerState State(PodObservation seen, ContainerSlot slot, bool isInit, bool initialized, bool again)
    {
        switch (slot.Phase)
        {
            case ContainerPhase.Running:
                return new V1ContainerState { Running = new V1ContainerStateRunning { StartedAt = slot.StartedAt.UtcDateTime } };
            case ContainerPhase.Exited when !again:
                return new V1ContainerState { Terminated = Terminated(seen.Pod, slot, slot.Exit!) };
            case ContainerPhase.Exited:
                var wait = PodPlanner.Backoff(slot);
                return Waiting("CrashLoopBackOff", $"back-off {wait.TotalSeconds:0}s restarting failed container={slot.Name} pod={seen.Pod.Metadata.Name}_{seen.Pod.Metadata.NamespaceProperty}({seen.Pod.Metadata.Uid})");
            default:
                if (slot.WaitReason is { } reason) return Waiting(reason, slot.WaitMessage);
                return Waiting(!isInit && !initialized ? "PodInitializing" : isInit ? "PodInitializing" : "ContainerCreating", null);
        }
    }

    private static V1ContainerState Waiting(string reason, string? message) => new() { Waiting = new V1ContainerStateWaiting { Reason = reason, Message = message } };

    private static V1ContainerStateTerminated Terminated(V1Pod pod, ContainerSlot slot, ContainerExit exit) => new()
    {
        ExitCode = exit.Code,
        Reason = exit.Reason,
        Message = string.IsNullOrEmpty(exit.Message) ? null : exit.Message,
        StartedAt = exit.StartedAt.UtcDateTime,
        FinishedAt = exit.FinishedAt.UtcDateTime,
        ContainerID = Id(pod, slot),
    };

    private static string Id(V1Pod pod, ContainerSlot slot) => $"trestle://{pod.Metadata.Uid}-{slot.Name}-{slot.Restarts}";

    private static List<V1PodCondition> Conditions(PodObservation seen, StopCause? cause, string phase, bool initialized, List<V1ContainerStatus> mains, List<V1ContainerStatus> inits)
    {
        var over = phase is "Succeeded" or "Failed";
        var unready = mains.Where(m => !m.Ready).Select(m => m.Name).ToList();
        var waiting = inits.Where(i => !i.Ready && i.State.Terminated is not { ExitCode: 0 }).Select(i => i.Name).ToList();
        var ready = !over && unready.Count == 0 && initialized;
        var gates = (seen.Pod.Spec.ReadinessGates ?? []).Where(g => seen.Pod.Status?.Conditions?.Any(c => c.Type == g.ConditionType && c.Status == "True") != true).Select(g => g.ConditionType).ToList();
        var why = over ? (phase == "Succeeded" ? "PodCompleted" : "PodFailed") : "ContainersNotReady";
        var words = over ? null : $"containers with unready status: [{string.Join(' ', unready)}]";
        var wanted = new List<V1PodCondition>
        {
            New("PodReadyToStartContainers", !over, null, null),
            phase == "Succeeded" ? New("Initialized", true, "PodCompleted", null)
                : New("Initialized", initialized, initialized ? null : "ContainersNotInitialized", initialized ? null : $"containers with incomplete status: [{string.Join(' ', waiting)}]"),
            ready && gates.Count > 0 ? New("Ready", false, "ReadinessGatesNotReady", $"the status of pod readiness gate \"{gates[0]}\" is not \"True\"")
                : New("Ready", ready, ready ? null : why, ready ? null : words),
            New("ContainersReady", ready, ready ? null : why, ready ? null : words),
            New("PodScheduled", true, null, null),
        };
        if (cause?.Disruption is { } disruption) wanted.Add(New("DisruptionTarget", true, disruption, cause.Message));
        return Merge(seen.Pod.Status?.Conditions, wanted, seen.Now, seen.Pod.Metadata.Generation);
    }

    // Conditions that others set stay; a transition time only moves when the status does.
    private static List<V1PodCondition> Merge(IList<V1PodCondition>? old, List<V1PodCondition> wanted, DateTimeOffset now, long? generation)
    {
        foreach (var condition in wanted)
        {
            var before = old?.FirstOrDefault(c => c.Type == condition.Type);
            condition.LastTransitionTime = before?.Status == condition.Status ? before.LastTransitionTime ?? now.UtcDateTime : now.UtcDateTime;
            condition.ObservedGeneration = generation;
        }

        wanted.AddRange((old ?? []).Where(o => wanted.All(w => w.Type != o.Type)));
        return wanted;
    }

    private static V1PodCondition New(string type, bool value, string? reason, string? message) => new() { Type = type, Status = value ? "True" : "False", Reason = reason, Message = message };
}
