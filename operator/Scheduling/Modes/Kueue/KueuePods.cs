using k8s.Models;

namespace Trestle.Operator.Scheduling.Modes.Kueue;

/// <summary>What an admission by Kueue wants of the pods. Pure.</summary>
internal static class KueuePods
{
    /// <summary>Names of the flavors that the pods were given.</summary>
    public static IReadOnlyList<string> Flavors(KueueWorkloadView workload) => [.. (Assignment(workload)?.Flavors ?? []).Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>What the pods have of the admission; null while it is not given, or a flavor is not known.</summary>
    public static PodExtras? Extras(KueueWorkloadView workload, Func<string, KueueFlavorView?> flavorOf)
    {
        if (!workload.IsAdmitted || Assignment(workload) is not { } assignment) return null;
        var flavors = Flavors(workload).Select(flavorOf).ToList();
        if (flavors.Contains(null)) return null;
        var updates = (workload.Status?.AdmissionChecks ?? []).SelectMany(check => check.PodSetUpdates ?? []).Where(update => update.Name == KueueApi.PodSet).ToList();
        var byTopology = assignment.TopologyAssignment is not null;
        return new PodExtras
        {
            NodeSelector = All([.. flavors.Select(flavor => flavor!.Spec?.NodeLabels), .. updates.Select(update => update.NodeSelector)]),
            Tolerations = Distinct([.. flavors.SelectMany(flavor => flavor!.Spec?.Tolerations ?? []), .. updates.SelectMany(update => update.Tolerations ?? [])]),
            Labels = All([.. updates.Select(update => update.Labels), new() { [KueueApi.PodSetLabel] = KueueApi.PodSet }]),
            Annotations = All([.. updates.Select(update => update.Annotations), new() { [KueueApi.WorkloadAnnotation] = workload.Metadata.Name }]),
            Gates = byTopology ? [KueueApi.TopologyGate] : [],
        };
    }

    private static KueueAssignment? Assignment(KueueWorkloadView workload) => workload.Status?.Admission?.PodSetAssignments?.Find(assignment => assignment.Name == KueueApi.PodSet);

    private static Dictionary<string, string> All(IEnumerable<Dictionary<string, string>?> maps)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in maps.SelectMany(map => map ?? [])) all[name] = value;
        return all;
    }

    private static List<V1Toleration> Distinct(IEnumerable<V1Toleration> tolerations) =>
        [.. tolerations.DistinctBy(toleration => (toleration.Key, toleration.OperatorProperty, toleration.Value, toleration.Effect, toleration.TolerationSeconds))];
}
