using System.Runtime.CompilerServices;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;

namespace Trestle.Operator.Scheduling;

/// <summary>What a pod asks of its node, as the scheduler of Kubernetes counts it: cpu in thousandths, all else in whole units.</summary>
internal static class PodRequests
{
    public const string Cpu = "cpu";
    public const string Memory = "memory";
    public const string Pods = "pods";

    /// <summary>The largest amount that is told from larger ones, so that sums over ranks and nodes can't overflow.</summary>
    public const long Most = 1L << 49;

    private static readonly ConditionalWeakTable<PodView, IReadOnlyDictionary<string, long>> Known = [];

    /// <summary>Of a pod as it is on the server, which has put limits without requests into the requests.</summary>
    public static IReadOnlyDictionary<string, long> Of(PodView pod) => Known.GetValue(pod, static pod => Sum(
        (pod.Spec.InitContainers ?? []).Select(container => (container.RestartPolicy == "Always", Read(container.Resources?.Requests))),
        (pod.Spec.Containers ?? []).Select(container => Read(container.Resources?.Requests)),
        Read(pod.Spec.Overhead)));

    /// <summary>Of a pod that is yet to be created.</summary>
    public static IReadOnlyDictionary<string, long> Of(V1PodSpec pod) => Sum(
        (pod.InitContainers ?? []).Select(container => (container.RestartPolicy == "Always", Read(container.Resources))),
        pod.Containers.Select(container => Read(container.Resources)),
        Read(pod.Overhead?.ToDictionary(pair => pair.Key, pair => pair.Value.ToString())));

    /// <summary>An amount as it is counted here; rounded up when asked for, down when offered.</summary>
    public static long Units(string resource, string quantity, bool up)
    {
        if (!Quantity.TryParse(quantity, out var value)) return 0;
        var units = resource == Cpu ? value * 1000 : value;
        return (long)Math.Min(up ? decimal.Ceiling(units) : decimal.Floor(units), Most);
    }

    // The larger of: all containers with the sidecars, and any init container with the sidecars started before it.
    private static Dictionary<string, long> Sum(IEnumerable<(bool Sidecar, Dictionary<string, long> Asked)> inits, IEnumerable<Dictionary<string, long>> containers, Dictionary<string, long> overhead)
    {
        Dictionary<string, long> total = [], sidecars = [], peak = [];
        foreach (var (sidecar, asked) in inits)
        {
            var together = new Dictionary<string, long>(sidecars);
            Add(together, asked);
            if (sidecar) sidecars = together;
            Raise(peak, together);
        }

        foreach (var asked in containers) Add(total, asked);
        Add(total, sidecars);
        Raise(total, peak);
        Add(total, overhead);
        total[Pods] = 1;
        return total;
    }

    private static void Add(Dictionary<string, long> sum, Dictionary<string, long> more)
    {
        foreach (var (name, amount) in more) sum[name] = sum.GetValueOrDefault(name) + amount;
    }

    private static void Raise(Dictionary<string, long> to, Dictionary<string, long> atLeast)
    {
        foreach (var (name, amount) in atLeast) to[name] = Math.Max(to.GetValueOrDefault(name), amount);
    }

    private static Dictionary<string, long> Read(Dictionary<string, string>? quantities) =>
        (quantities ?? []).ToDictionary(pair => pair.Key, pair => Units(pair.Key, pair.Value, up: true));

    private static Dictionary<string, long> Read(V1ResourceRequirements? resources)
    {
        var asked = new Dictionary<string, string>();
        foreach (var (name, amount) in resources?.Limits ?? new Dictionary<string, ResourceQuantity>()) asked[name] = amount.ToString();
        foreach (var (name, amount) in resources?.Requests ?? new Dictionary<string, ResourceQuantity>()) asked[name] = amount.ToString();
        return Read(asked);
    }
}
