using System.Text.Json.Nodes;
using Trestle.Api.Launch;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>Opens the gate of a pod and pins it to its node, both in one request: no scheduler ever sees the pod open and unpinned. Pure.</summary>
internal static class PodRelease
{
    /// <summary>The patch.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="node">Its node; null when another scheduler chooses.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="version">The version of the pod that was decided on; null for any.</param>
    public static Patch Of(PodView pod, string? node, IObjectCache<NodeView> nodes, string? version = null)
    {
        var gates = (pod.Spec.SchedulingGates ?? []).Where(gate => gate.Name != Names.AdmissionGate).Select(gate => new JsonObject { ["name"] = gate.Name });
        var spec = new JsonObject { ["schedulingGates"] = new JsonArray([.. gates]) };
        if (node is not null) spec["nodeSelector"] = new JsonObject { [PodUse.HostNameLabel] = nodes.Find(new ObjectKey("", node))?.Label(PodUse.HostNameLabel) ?? node };
        var metadata = new JsonObject { ["uid"] = pod.Metadata.Uid };
        if (version is not null) metadata["resourceVersion"] = version;
        return new Patch(PatchKind.Merge, new JsonObject { ["metadata"] = metadata, ["spec"] = spec });
    }
}
