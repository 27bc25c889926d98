using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>Columns of <c>kubectl get nodes</c>.</summary>
internal static class NodeColumns
{
    private const string Address = "List of addresses reachable to the node. Queried from cloud provider, if available. More info: https://kubernetes.io/docs/reference/node/node-status/#addresses Note: This field is declared as mergeable, but the merge key is not sufficiently unique, which can cause data corruption when it is merged. Callers should instead use a full-replacement patch. See https://pr.k8s.io/79391 for an example. Consumers should assume that addresses can change during the lifetime of a Node. However, there are some exceptions where this may not be possible, such as Pods that inherit a Node's address in its own status or consumers of the downward API (status.hostIP).";

    public static readonly IReadOnlyList<TableColumn> All =
    [
        Columns.Name,
        new("Status", "string", "The status of the node", 0, (node, _) => Status(node)),
        new("Roles", "string", "The roles of the node", 0, (node, _) => Roles(node)),
        Columns.Age,
        new("Version", "string", "Kubelet Version reported by the node.", 0, (node, _) => node.TextAt("status.nodeInfo.kubeletVersion")),
        new("Internal-IP", "string", Address, 1, (node, _) => FindAddress(node, "InternalIP")),
        new("External-IP", "string", Address, 1, (node, _) => FindAddress(node, "ExternalIP")),
        new("OS-Image", "string", "OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).", 1, (node, _) => Columns.OrUnknown(node.TextAt("status.nodeInfo.osImage"))),
        new("Kernel-Version", "string", "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).", 1, (node, _) => Kernel(node)),
        new("Container-Runtime", "string", "ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2).", 1, (node, _) => Columns.OrUnknown(node.TextAt("status.nodeInfo.containerRuntimeVersion"))),
    ];

    private static string Status(JsonObject node)
    {
        var ready = Columns.Condition(node, "Ready");
        var status = ready is null ? "Unknown" : ready.Text("status") == "True" ? "Ready" : "NotReady";
        return node.Object("spec").Flag("unschedulable") ? status + ",SchedulingDisabled" : status;
    }

    private static string Roles(JsonObject node)
    {
        const string prefix = "node-role.kubernetes.io/";
        var roles = (node.Object("metadata").Object("labels") ?? []).Where(l => l.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(l => l.Key[prefix.Length..]).Order(StringComparer.Ordinal);
        return Columns.OrNone(string.Join(',', roles));
    }

    private static string Kernel(JsonObject node)
    {
        var kernel = Columns.OrUnknown(node.TextAt("status.nodeInfo.kernelVersion"));
        var architecture = node.TextAt("status.nodeInfo.architecture");
        return architecture.Length == 0 ? kernel : $"{kernel} ({architecture})";
    }

    private static string FindAddress(JsonObject node, string type) =>
        Columns.OrNone((node.Object("status").Array("addresses") ?? []).OfType<JsonObject>().FirstOrDefault(a => a.Text("type") == type).Text("address"));
}
