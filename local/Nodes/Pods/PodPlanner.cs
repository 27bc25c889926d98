using k8s.Models;

namespace Trestle.Local.Nodes.Pods;

/// <summary>
/// Decides what a pod needs next. Pure. The order is Kubernetes's: init containers one after the other (a sidecar, an init
/// container that restarts Always, only has to have started), then the main containers together, each run again as
/// restartPolicy says with a back-off; when no main container will run again the sidecars are stopped in reverse order and
/// the pod has ended. A pod that is deleted, evicted or over its deadline stops its main containers first, then its sidecars.
/// </summary>
public static class PodPlanner
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ForgetBackoffAfter = TimeSpan.FromMinutes(10);

    /// <summary>Plans the next steps.</summary>
    public static PodPlan Plan(PodObservation seen)
    {
        var wake = new Alarm();
        var steps = new List<PodStep>();
        var cause = seen.Stop ?? OverDeadline(seen, wake);
        var ended = seen.Pod.Status?.Phase is "Succeeded" or "Failed";
        if (cause is not null || seen.Pod.Metadata.DeletionTimestamp is not null || ended) Stop(seen, steps, StopDeadline(seen, cause));
        else Run(seen, steps, wake);

        var finished = Finished(seen, cause, ended);
        var status = PodStatusBuilder.Build(seen, cause, finished);
        return new PodPlan(steps, status, wake.At, finished && seen.Slots.Values.All(s => s.Phase != ContainerPhase.Running));
    }

    /// <summary>Whether the pod has come to an end by itself.</summary>
    public static bool IsOver(PodObservation seen) => Finished(seen, null, seen.Pod.Status?.Phase is "Succeeded" or "Failed");

    /// <summary>How long a container that ended waits before its next run.</summary>
    public static TimeSpan Backoff(ContainerSlot slot)
    {
        if (slot.Exit is { } exit && exit.FinishedAt - exit.StartedAt >= ForgetBackoffAfter) return FirstBackoff;
        var doubled = FirstBackoff * Math.Pow(2, Math.Min(slot.Restarts, 10));
        return doubled < LongestBackoff ? doubled : LongestBackoff;
    }

    /// <summary>Whether an ended container is to run again.</summary>
    public static bool RunsAgain(V1Pod pod, V1Container container, bool isInit, ContainerExit exit)
    {
        if (isInit) return IsSidecar(container) || (exit.Code != 0 && pod.Spec.RestartPolicy != "Never");
        return pod.Spec.RestartPolicy switch
        {
            "Never" => false,
            "OnFailure" => exit.Code != 0,
            _ => true,
        };
    }

    /// <summary>Whether the container is a sidecar.</summary>
    public static bool IsSidecar(V1Container container) => container.RestartPolicy == "Always";

    /// <summary>Whether every init container is through (sidecars: started).</summary>
    public static bool Initialized(V1Pod pod, IReadOnlyDictionary<string, ContainerSlot> slots) =>
        (pod.Spec.InitContainers ?? []).All(c => Through(c, slots[c.Name])) || pod.Spec.Containers.Any(c => slots[c.Name].Phase != ContainerPhase.Waiting || slots[c.Name].Restarts > 0);

    private static void Run(PodObservation seen, List<PodStep> steps, Alarm wake)
    {
        var pod = seen.Pod;
        var initFailed = false;
        var blocked = false;
        var initialized = Initialized(pod, seen.Slots);
        foreach (var init in pod.Spec.InitContainers ?? [])
        {
            var slot = seen.Slots[init.Name];
            if (initialized && !IsSidecar(init)) continue;
            if (!blocked) Advance(seen, init, true, slot, steps, wake);
            initFailed |= slot is { Phase: ContainerPhase.Exited, Exit: { } exit } && exit.Code != 0 && !RunsAgain(pod, init, true, exit);
            blocked |= !initialized && !Through(init, slot);
        }

        if (initFailed || MainsOver(seen))
        {
            steps.RemoveAll(s => s is StartContainer);
            StopSidecars(seen, steps, seen.Now + Grace(pod));
            return;
        }

        if (!initialized) return;
        foreach (var container in pod.Spec.Containers) Advance(seen, container, false, seen.Slots[container.Name], steps, wake);
    }

    private static void Advance(PodObservation seen, V1Container container, bool isInit, ContainerSlot slot, List<PodStep> steps, Alarm wake)
    {
        switch (slot.Phase)
        {
            case ContainerPhase.Waiting:
                if (slot.RetryAt is { } retry && retry > seen.Now) wake.Set(retry);
                else steps.Add(new StartContainer(container.Name, slot.Restarts));
                break;
            case ContainerPhase.Exited when slot.Exit is { } exit && RunsAgain(seen.Pod, container, isInit, exit):
                var due = exit.FinishedAt + Backoff(slot);
                if (due > seen.Now) wake.Set(due);
                else steps.Add(new StartContainer(container.Name, slot.Restarts + 1));
                break;
        }
    }

    private static void Stop(PodObservation seen, List<PodStep> steps, DateTimeOffset deadline)
    {
        var mains = seen.Pod.Spec.Containers.Concat((seen.Pod.Spec.InitContainers ?? []).Where(c => !IsSidecar(c))).Select(c => seen.Slots[c.Name]).Where(s => s.Phase == ContainerPhase.Running).ToList();
        steps.AddRange(mains.Select(s => new StopContainer(s.Name, deadline)));
        if (mains.Count == 0) StopSidecars(seen, steps, deadline);
    }

    // One after the other, last first, so that a sidecar others lean on goes last.
    private static void StopSidecars(PodObservation seen, List<PodStep> steps, DateTimeOffset deadline)
    {
        var last = (seen.Pod.Spec.InitContainers ?? []).Where(IsSidecar).Select(c => seen.Slots[c.Name]).LastOrDefault(s => s.Phase == ContainerPhase.Running);
        if (last is not null) steps.Add(new StopContainer(last.Name, deadline));
    }

    private static bool MainsOver(PodObservation seen) =>
        seen.Pod.Spec.Containers.All(c => seen.Slots[c.Name] is { Phase: ContainerPhase.Exited, Exit: { } exit } && !RunsAgain(seen.Pod, c, false, exit));

    private static bool Finished(PodObservation seen, StopCause? cause, bool ended)
    {
        if (seen.Slots.Values.Any(s => s.Phase == ContainerPhase.Running)) return false;
        if (cause is not null || ended || seen.Pod.Metadata.DeletionTimestamp is not null) return true;
        var initFailed = (seen.Pod.Spec.InitContainers ?? []).Any(c => seen.Slots[c.Name] is { Phase: ContainerPhase.Exited, Exit: { } exit } && exit.Code != 0 && !RunsAgain(seen.Pod, c, true, exit));
        return initFailed || MainsOver(seen);
    }

    private static bool Through(V1Container init, ContainerSlot slot) =>
        IsSidecar(init) ? slot is { Phase: ContainerPhase.Running, Started: true } : slot is { Phase: ContainerPhase.Exited, Exit.Code: 0 };

    private static StopCause? OverDeadline(PodObservation seen, Alarm wake)
    {
        if (seen.Pod.Spec.ActiveDeadlineSeconds is not { } seconds || seen.Pod.Status?.StartTime is not { } started) return null;
        if (seen.Pod.Status.Phase is "Succeeded" or "Failed") return null;
        var deadline = new DateTimeOffset(started.ToUniversalTime(), TimeSpan.Zero).AddSeconds(seconds);
        if (deadline <= seen.Now) return new StopCause("DeadlineExceeded", "Pod was active on the node longer than the specified deadline", deadline + Grace(seen.Pod));
        wake.Set(deadline);
        return null;
    }

    private static DateTimeOffset StopDeadline(PodObservation seen, StopCause? cause)
    {
        var deletion = seen.Pod.Metadata.DeletionTimestamp is { } at ? new DateTimeOffset(at.ToUniversalTime(), TimeSpan.Zero) : (DateTimeOffset?)null;
        if (deletion is { } d && cause is { } c) return d < c.Deadline ? d : c.Deadline;
        return deletion ?? cause?.Deadline ?? seen.Now;
    }

    private static TimeSpan Grace(V1Pod pod) => TimeSpan.FromSeconds(pod.Spec.TerminationGracePeriodSeconds ?? 30);

    private sealed class Alarm
    {
        public DateTimeOffset? At { get; private set; }

        public void Set(DateTimeOffset at) => At = At is { } earlier && earlier < at ? earlier : at;
    }
}
