using System.Globalization;
using k8s.Models;

namespace Trestle.Local.Nodes.Scheduling;

/// <summary>Where a pod goes, or why it can't go anywhere.</summary>
/// <param name="Node">The node, or null.</param>
/// <param name="Message">The sentence when there is none.</param>
public sealed record Placement(string? Node, string Message);

/// <summary>Finds a node for a pod: filters as the default scheduler does, then takes the least used. Pure.</summary>
public static class PodPlacement
{
    /// <summary>Places one pod.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="used">What is taken on each node.</param>
    public static Placement Find(V1Pod pod, IReadOnlyList<NodeCapacity> nodes, IReadOnlyDictionary<string, IReadOnlyDictionary<string, decimal>> used)
    {
        var asked = Resources.Of(pod);
        var refusals = new SortedDictionary<string, int>(StringComparer.Ordinal);
        NodeCapacity? best = null;
        var bestLoad = decimal.MaxValue;
        foreach (var node in nodes.OrderBy(n => n.Name, StringComparer.Ordinal))
        {
            var taken = used.GetValueOrDefault(node.Name);
            var against = Refusals(pod, asked, node, taken).ToList();
            foreach (var reason in against) refusals[reason] = refusals.GetValueOrDefault(reason) + 1;
            if (against.Count > 0) continue;
            var load = Load(node, taken);
            if (load >= bestLoad) continue;
            (best, bestLoad) = (node, load);
        }

        if (best is not null) return new Placement(best.Name, "");
        var why = refusals.Count == 0 ? "no nodes available to schedule pods" : string.Join(", ", refusals.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Value} {r.Key}")));
        return new Placement(null, nodes.Count == 0 ? "no nodes available to schedule pods." : $"0/{nodes.Count} nodes are available: {why}.");
    }

    private static IEnumerable<string> Refusals(V1Pod pod, IReadOnlyDictionary<string, decimal> asked, NodeCapacity node, IReadOnlyDictionary<string, decimal>? taken)
    {
        if (!Selected(pod, node))
        {
            yield return "node(s) didn't match Pod's node affinity/selector";
            yield break;
        }

        if (!node.Schedulable)
        {
            yield return node.Taints.FirstOrDefault(t => t.Effect is "NoSchedule" or "NoExecute") is { } why ? $"node(s) had untolerated taint(s) {{{why.Key}: {why.Value}}}" : "node(s) were unschedulable";
            yield break;
        }

        if (node.Taints.FirstOrDefault(t => t.Effect is "NoSchedule" or "NoExecute" && !Tolerated(pod, t)) is { } taint)
        {
            yield return $"node(s) had untolerated taint(s) {{{taint.Key}: {taint.Value}}}";
            yield break;
        }

        foreach (var (resource, amount) in asked)
        {
            if (amount <= 0) continue;
            var free = node.Allocatable.GetValueOrDefault(resource) - (taken?.GetValueOrDefault(resource) ?? 0);
            if (amount > free) yield return resource == "pods" ? "Too many pods" : $"Insufficient {resource}";
        }
    }

    private static bool Selected(V1Pod pod, NodeCapacity node)
    {
        if (pod.Spec.NodeSelector?.Any(s => !node.Labels.TryGetValue(s.Key, out var v) || v != s.Value) == true) return false;
        var terms = pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms;
        return terms is not { Count: > 0 } || terms.Any(t =>
            (t.MatchExpressions ?? []).All(e => Matches(e, node.Labels.GetValueOrDefault(e.Key)))
            && (t.MatchFields ?? []).All(e => Matches(e, e.Key == "metadata.name" ? node.Name : null)));
    }

    private static bool Matches(V1NodeSelectorRequirement want, string? value) => want.OperatorProperty switch
    {
        "In" => value is not null && want.Values.Contains(value),
        "NotIn" => value is null || !want.Values.Contains(value),
        "Exists" => value is not null,
        "DoesNotExist" => value is null,
        "Gt" => Number(value) > Number(want.Values[0]),
        "Lt" => Number(value) < Number(want.Values[0]),
        _ => false,
    };

    private static long? Number(string? text) => long.TryParse(text, CultureInfo.InvariantCulture, out var n) ? n : null;

    private static bool Tolerated(V1Pod pod, V1Taint taint) => (pod.Spec.Tolerations ?? []).Any(t =>
        (string.IsNullOrEmpty(t.Effect) || t.Effect == taint.Effect)
        && (string.IsNullOrEmpty(t.Key) ? t.OperatorProperty == "Exists" : t.Key == taint.Key)
        && (t.OperatorProperty == "Exists" || (t.Value ?? "") == (taint.Value ?? "")));

    private static decimal Load(NodeCapacity node, IReadOnlyDictionary<string, decimal>? taken)
    {
        if (taken is null) return 0;
        var shares = new[] { "nvidia.com/gpu", "cpu", "memory", "pods" }.Where(r => node.Allocatable.GetValueOrDefault(r) > 0).Select(r => taken.GetValueOrDefault(r) / node.Allocatable[r]);
        return shares.DefaultIfEmpty(0).Sum();
    }
}
