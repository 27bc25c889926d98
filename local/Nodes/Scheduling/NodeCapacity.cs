using k8s.Models;

namespace Trestle.Local.Nodes.Scheduling;

/// <summary>Amounts of resources by name. <c>pods</c> counts one for every pod.</summary>
public static class Resources
{
    /// <summary>What a pod asks for: the larger of its init containers' and its main containers' sum, sidecars counted in both.</summary>
    public static IReadOnlyDictionary<string, decimal> Of(V1Pod pod)
    {
        var total = new Dictionary<string, decimal>();
        var sidecars = new Dictionary<string, decimal>();
        var peak = new Dictionary<string, decimal>();
        foreach (var init in pod.Spec.InitContainers ?? [])
        {
            var asked = Requests(init);
            if (init.RestartPolicy == "Always")
            {
                Add(sidecars, asked);
                Raise(peak, sidecars);
            }
            else
            {
                var together = new Dictionary<string, decimal>(sidecars);
                Add(together, asked);
                Raise(peak, together);
            }
        }

        foreach (var container in pod.Spec.Containers) Add(total, Requests(container));
        Add(total, sidecars);
        Raise(total, peak);
        if (pod.Spec.Overhead is { } overhead) Add(total, overhead.ToDictionary(p => p.Key, p => p.Value.ToDecimal()));
        total["pods"] = 1;
        return total;
    }

    /// <summary>Adds <paramref name="more"/> to <paramref name="sum"/>.</summary>
    public static void Add(Dictionary<string, decimal> sum, IReadOnlyDictionary<string, decimal> more)
    {
        foreach (var (name, amount) in more) sum[name] = sum.GetValueOrDefault(name) + amount;
    }

    private static void Raise(Dictionary<string, decimal> to, Dictionary<string, decimal> atLeast)
    {
        foreach (var (name, amount) in atLeast) to[name] = Math.Max(to.GetValueOrDefault(name), amount);
    }

    // A limit without a request is a request (API defaulting does the same).
    private static Dictionary<string, decimal> Requests(V1Container container)
    {
        var asked = (container.Resources?.Limits ?? new Dictionary<string, ResourceQuantity>()).ToDictionary(p => p.Key, p => p.Value.ToDecimal());
        foreach (var (name, amount) in container.Resources?.Requests ?? new Dictionary<string, ResourceQuantity>()) asked[name] = amount.ToDecimal();
        return asked;
    }
}

/// <summary>A node as the scheduler sees it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="Taints">Its taints.</param>
/// <param name="Schedulable">Ready and not cordoned.</param>
/// <param name="Allocatable">What it has.</param>
public sealed record NodeCapacity(string Name, IReadOnlyDictionary<string, string> Labels, IReadOnlyList<V1Taint> Taints, bool Schedulable, IReadOnlyDictionary<string, decimal> Allocatable)
{
    /// <summary>Reads a Node object.</summary>
    public static NodeCapacity From(V1Node node) => new(
        node.Metadata.Name,
        new Dictionary<string, string>(node.Metadata.Labels ?? new Dictionary<string, string>()),
        [.. node.Spec?.Taints ?? []],
        node.Spec?.Unschedulable != true && node.Status?.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true,
        (node.Status?.Allocatable ?? new Dictionary<string, ResourceQuantity>()).ToDictionary(p => p.Key, p => p.Value.ToDecimal()));
}
