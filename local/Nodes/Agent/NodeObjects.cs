using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Trestle.Local.Nodes.Agent;

/// <summary>Builds Node objects and the patches that change them. Pure.</summary>
public static class NodeObjects
{
    /// <summary>What is to happen to a node: <c>fail</c>, <c>drain</c> or nothing.</summary>
    public const string FaultAnnotation = "trestle.dev/local-fault";

    /// <summary>Says that we cordoned the node, so that restoring it lifts only our own cordon.</summary>
    public const string CordonedAnnotation = "trestle.dev/local-cordoned";

    /// <summary>Taint of a node that does not answer.</summary>
    public const string UnreachableTaint = "node.kubernetes.io/unreachable";

    private const string VirtualAnnotation = "trestle.dev/virtual";
    private const string AcceleratorLabel = "trestle.dev/accelerator";

    /// <summary>Names of the virtual nodes.</summary>
    public static IEnumerable<string> Names(NodesOptions options) => Enumerable.Range(0, options.Nodes).Select(i => $"node-{i}");

    /// <summary>The fault asked for; empty when none.</summary>
    public static string FaultOf(V1Node node) => node.Metadata.Annotations?.TryGetValue(FaultAnnotation, out var fault) == true ? fault ?? "" : "";

    /// <summary>A node as it registers.</summary>
    public static V1Node New(NodesOptions options, string name) => new()
    {
        ApiVersion = "v1",
        Kind = "Node",
        Metadata = new V1ObjectMeta { Name = name, Labels = Labels(options, name), Annotations = new Dictionary<string, string> { [VirtualAnnotation] = "declared, not real" } },
        Spec = new V1NodeSpec(),
    };

    /// <summary>Metadata that may differ from an earlier start with other options.</summary>
    public static JsonObject Declaration(NodesOptions options, string name, bool memoryEnforced) => new()
    {
        ["metadata"] = new JsonObject
        {
            ["labels"] = new JsonObject([.. Labels(options, name).Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value)), .. options.GpuType is null ? [KeyValuePair.Create(AcceleratorLabel, (JsonNode?)null)] : Array.Empty<KeyValuePair<string, JsonNode?>>()]),
            ["annotations"] = new JsonObject { [VirtualAnnotation] = "declared, not real", ["trestle.dev/memory-limits"] = memoryEnforced ? "enforced" : "not enforced: no writable control group" },
        },
    };

    /// <summary>Status of a node that is well.</summary>
    public static JsonObject ReadyStatus(NodesOptions options, string name, V1Node? before, DateTimeOffset now)
    {
        var amounts = new JsonObject { ["cpu"] = options.Cpus, ["memory"] = options.Memory, ["pods"] = $"{options.Pods}", ["ephemeral-storage"] = "1Ti" };
        amounts["nvidia.com/gpu"] = options.GpuType is not null && options.GpuCount > 0 ? $"{options.GpuCount}" : null;
        return new JsonObject
        {
            ["capacity"] = amounts,
            ["allocatable"] = amounts.DeepClone(),
            ["addresses"] = new JsonArray(new JsonObject { ["type"] = "InternalIP", ["address"] = "127.0.0.1" }, new JsonObject { ["type"] = "Hostname", ["address"] = name }),
            ["nodeInfo"] = Info(),
            ["conditions"] = new JsonArray(
                Condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "declared, not measured", before, now),
                Condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "declared, not measured", before, now),
                Condition("PIDPressure", "False", "KubeletHasSufficientPID", "declared, not measured", before, now),
                Condition("Ready", "True", "KubeletReady", "the node agent is running", before, now)),
        };
    }

    /// <summary>Status of a node that stopped answering.</summary>
    public static JsonObject LostStatus(V1Node before, DateTimeOffset now) => new()
    {
        ["conditions"] = new JsonArray([.. (before.Status?.Conditions ?? []).Select(c => c.Type).DefaultIfEmpty("Ready").Select(t => (JsonNode)Condition(t, "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", before, now))]),
    };

    /// <summary>Whether the node is one of ours.</summary>
    public static bool IsVirtual(V1Node node) => node.Metadata.Annotations?.ContainsKey(VirtualAnnotation) == true;

    /// <summary>Whether the node says it is ready.</summary>
    public static bool IsReady(V1Node node) => node.Status?.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true;

    /// <summary>Patch that adds or removes the unreachable taints and our cordon; null when nothing changes.</summary>
    public static JsonObject? SpecPatch(V1Node node, bool unreachable, bool cordon, DateTimeOffset now)
    {
        var taints = (node.Spec?.Taints ?? []).ToList();
        var tainted = taints.Any(t => t.Key == UnreachableTaint);
        var cordonedByUs = node.Metadata.Annotations?.ContainsKey(CordonedAnnotation) == true;
        var unschedulable = node.Spec?.Unschedulable == true;
        var cordonNow = cordon && !unschedulable;
        var liftNow = !cordon && cordonedByUs;
        if (tainted == unreachable && !cordonNow && !liftNow) return null;

        taints.RemoveAll(t => t.Key == UnreachableTaint);
        var list = new JsonArray([.. taints.Select(t => Taint(t.Key, t.Effect, t.Value, t.TimeAdded))]);
        if (unreachable)
        {
            list.Add(Taint(UnreachableTaint, "NoSchedule", null, now.UtcDateTime));
            list.Add(Taint(UnreachableTaint, "NoExecute", null, now.UtcDateTime));
        }

        var spec = new JsonObject { ["taints"] = list.Count > 0 ? list : null };
        var patch = new JsonObject { ["spec"] = spec };
        if (cordonNow) spec["unschedulable"] = true;
        if (liftNow) spec["unschedulable"] = null;
        if (cordonNow || liftNow) patch["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [CordonedAnnotation] = cordonNow ? "true" : null } };
        return patch;
    }

    /// <summary>Status patch of a pod whose node is lost.</summary>
    public static JsonObject LostPodStatus(V1Pod pod, DateTimeOffset now)
    {
        var message = $"the node {pod.Spec.NodeName} was lost";
        var conditions = (pod.Status?.Conditions ?? []).Where(c => c.Type != "DisruptionTarget").Select(c => (JsonNode)PodCondition(c.Type, c.Type is "Ready" or "ContainersReady" ? "False" : c.Status, c.Reason, c.Message, c.Type is "Ready" or "ContainersReady" ? now : c.LastTransitionTime is { } t ? new DateTimeOffset(t.ToUniversalTime(), TimeSpan.Zero) : now)).ToList();
        conditions.Add(PodCondition("DisruptionTarget", "True", "DeletionByTaintManager", message, now));
        var status = new JsonObject { ["phase"] = "Failed", ["reason"] = "NodeLost", ["message"] = message, ["conditions"] = new JsonArray([.. conditions]) };
        if (pod.Status?.ContainerStatuses is { Count: > 0 } containers) status["containerStatuses"] = LostContainers(containers, now);
        if (pod.Status?.InitContainerStatuses is { Count: > 0 } inits) status["initContainerStatuses"] = LostContainers(inits, now);
        return status;
    }

    // On one machine it is known that they were killed; whoever follows their logs sees the end.
    private static JsonArray LostContainers(IEnumerable<V1ContainerStatus> containers, DateTimeOffset now)
    {
        var list = new JsonArray();
        foreach (var container in containers)
        {
            var json = JsonNode.Parse(KubernetesJson.Serialize(container))!.AsObject();
            if (container.State?.Terminated is null)
            {
                json["state"] = new JsonObject { ["terminated"] = new JsonObject { ["exitCode"] = 137, ["reason"] = "ContainerStatusUnknown", ["message"] = "The node was lost", ["startedAt"] = Text(container.State?.Running?.StartedAt is { } at ? new DateTimeOffset(at.ToUniversalTime(), TimeSpan.Zero) : now), ["finishedAt"] = Text(now) } };
                (json["ready"], json["started"]) = (false, false);
            }

            list.Add(json);
        }

        return list;
    }

    private static Dictionary<string, string> Labels(NodesOptions options, string name)
    {
        var labels = new Dictionary<string, string>
        {
            ["kubernetes.io/hostname"] = name,
            ["kubernetes.io/os"] = "linux",
            ["kubernetes.io/arch"] = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64",
        };
        if (options.GpuType is { } type) labels[AcceleratorLabel] = type;
        return labels;
    }

    private static JsonObject Info() => new()
    {
        ["kernelVersion"] = Environment.OSVersion.Version.ToString(),
        ["osImage"] = System.Runtime.InteropServices.RuntimeInformation.OSDescription,
        ["operatingSystem"] = "linux",
        ["architecture"] = "amd64",
        ["containerRuntimeVersion"] = "bubblewrap://trestle",
        ["kubeletVersion"] = "v1.36.0-trestle",
        ["kubeProxyVersion"] = "",
        ["machineID"] = "",
        ["systemUUID"] = "",
        ["bootID"] = "",
    };

    private static JsonObject Condition(string type, string status, string reason, string message, V1Node? before, DateTimeOffset now)
    {
        var old = before?.Status?.Conditions?.FirstOrDefault(c => c.Type == type);
        var since = old?.Status == status && old.LastTransitionTime is { } t ? new DateTimeOffset(t.ToUniversalTime(), TimeSpan.Zero) : now;
        return new JsonObject { ["type"] = type, ["status"] = status, ["reason"] = reason, ["message"] = message, ["lastHeartbeatTime"] = Text(now), ["lastTransitionTime"] = Text(since) };
    }

    private static JsonObject PodCondition(string type, string status, string? reason, string? message, DateTimeOffset since)
    {
        var condition = new JsonObject { ["type"] = type, ["status"] = status, ["lastTransitionTime"] = Text(since) };
        if (reason is not null) condition["reason"] = reason;
        if (message is not null) condition["message"] = message;
        return condition;
    }

    private static JsonObject Taint(string key, string effect, string? value, DateTime? added)
    {
        var taint = new JsonObject { ["key"] = key, ["effect"] = effect };
        if (value is not null) taint["value"] = value;
        if (added is { } at) taint["timeAdded"] = Text(new DateTimeOffset(at.ToUniversalTime(), TimeSpan.Zero));
        return taint;
    }

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
