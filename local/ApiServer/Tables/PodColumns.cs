using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>Columns of <c>kubectl get pods</c>; the status column follows the printer of a real server.</summary>
internal static class PodColumns
{
    public static readonly IReadOnlyList<TableColumn> All =
    [
        Columns.Name,
        new("Ready", "string", "The aggregate readiness state of this pod for accepting traffic.", 0, (pod, _) => Ready(pod)),
        new("Status", "string", "The aggregate status of the containers in this pod.", 0, (pod, _) => PodStatusText.Of(pod)),
        new("Restarts", "string", "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.", 0, (pod, now) => Restarts(pod, now)),
        Columns.Age,
        new("IP", "string", "podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.", 1, (pod, _) => Columns.OrNone(pod.TextAt("status.podIP"))),
        new("Node", "string", "NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling by the scheduler defined in schedulerName. Once this field is set, the kubelet for this node becomes responsible for the lifecycle of this pod. This field should not be used to express a desire for the pod to be scheduled on a specific node. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename", 1, (pod, _) => Columns.OrNone(pod.TextAt("spec.nodeName"))),
        new("Nominated Node", "string", "nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right away as preemption victims receive their graceful termination periods. This field does not guarantee that the pod will be scheduled on this node. Scheduler may decide to place the pod elsewhere if other nodes become available sooner. Scheduler may also decide to give the resources on this node to a higher priority pod that is created after preemption. As a result, this field may be different than PodSpec.nodeName when the pod is scheduled.", 1, (pod, _) => Columns.OrNone(pod.TextAt("status.nominatedNodeName"))),
        new("Readiness Gates", "string", "If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its containers are ready AND all conditions specified in the readiness gates have status equal to \"True\" More info: https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates", 1, (pod, _) => Gates(pod)),
    ];

    private static string Ready(JsonObject pod)
    {
        var sidecars = (pod.Object("spec").Array("initContainers") ?? []).OfType<JsonObject>().Where(c => c.Text("restartPolicy") == "Always").Select(c => c.Text("name")).ToHashSet();
        var total = (pod.Object("spec").Array("containers")?.Count ?? 0) + sidecars.Count;
        var ready = PodStatusText.Statuses(pod, "containerStatuses").Count(s => s.Flag("ready") && s.Object("state").Object("running") is not null)
            + PodStatusText.Statuses(pod, "initContainerStatuses").Count(s => sidecars.Contains(s.Text("name")) && s.Flag("ready"));
        return $"{ready}/{total}";
    }

    private static string Restarts(JsonObject pod, DateTimeOffset now)
    {
        var statuses = PodStatusText.Statuses(pod, "containerStatuses").ToArray();
        var count = statuses.Sum(s => s.Integer("restartCount") ?? 0);
        var last = statuses.Select(s => Timestamp.Parse(s.Object("lastState").Object("terminated").Text("finishedAt"))).Max();
        return count > 0 && last is not null ? $"{count} ({Timestamp.Age(now - last.Value)} ago)" : count.ToString();
    }

    private static string Gates(JsonObject pod)
    {
        var gates = pod.Object("spec").Array("readinessGates") ?? [];
        if (gates.Count == 0) return "<none>";
        var met = gates.OfType<JsonObject>().Count(g => Columns.Condition(pod, g.Text("conditionType") ?? "").Text("status") == "True");
        return $"{met}/{gates.Count}";
    }
}

/// <summary>The word <c>kubectl get pods</c> shows for a pod.</summary>
internal static class PodStatusText
{
    public static string Of(JsonObject pod)
    {
        var status = pod.Object("status");
        var text = status.Text("reason") ?? status.Text("phase") ?? "Unknown";
        if (Columns.Condition(pod, "PodScheduled") is { } scheduled && scheduled.Text("reason") == "SchedulingGated") text = "SchedulingGated";
        var initializing = Initializing(pod);
        text = initializing ?? Running(pod, text);
        if (pod.Object("metadata")?["deletionTimestamp"] is null) return text;
        if (status.Text("reason") == "NodeLost") return "Unknown";
        return status.Text("phase") is "Succeeded" or "Failed" ? text : "Terminating";
    }

    public static IEnumerable<JsonObject> Statuses(JsonObject pod, string list) => (pod.Object("status").Array(list) ?? []).OfType<JsonObject>();

    private static string? Initializing(JsonObject pod)
    {
        var containers = (pod.Object("spec").Array("initContainers") ?? []).OfType<JsonObject>().ToDictionary(c => c.Text("name") ?? "", c => c.Text("restartPolicy") == "Always");
        var i = 0;
        foreach (var status in Statuses(pod, "initContainerStatuses"))
        {
            var state = status.Object("state");
            var isSidecar = containers.GetValueOrDefault(status.Text("name") ?? "");
            if (state.Object("terminated") is { } ended && ended.Integer("exitCode") == 0) { i++; continue; }
            if (isSidecar && status.Flag("started")) { i++; continue; }
            if (state.Object("terminated") is { } failed) return "Init:" + (failed.Text("reason") is { Length: > 0 } reason ? reason : $"ExitCode:{failed.Integer("exitCode")}");
            return state.Object("waiting").Text("reason") is { Length: > 0 } waiting and not "PodInitializing" ? "Init:" + waiting : $"Init:{i}/{containers.Count}";
        }

        return null;
    }

    private static string Running(JsonObject pod, string text)
    {
        var hasRunning = false;
        foreach (var status in Statuses(pod, "containerStatuses").Reverse())
        {
            var state = status.Object("state");
            if (state.Object("waiting").Text("reason") is { Length: > 0 } waiting) text = waiting;
            else if (state.Object("terminated") is { } ended)
                text = ended.Text("reason") is { Length: > 0 } reason ? reason : ended.Integer("signal") is > 0 and var signal ? $"Signal:{signal}" : $"ExitCode:{ended.Integer("exitCode")}";
            else if (status.Flag("ready") && state.Object("running") is not null) hasRunning = true;
        }

        if (text != "Completed" || !hasRunning) return text;
        return Columns.Condition(pod, "Ready").Text("status") == "True" ? "Running" : "NotReady";
    }
}
