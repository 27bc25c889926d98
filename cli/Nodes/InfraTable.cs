using System.Globalization;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Cli.Output;

namespace Trestle.Cli.Nodes;

/// <summary>GPUs free and total, by type and by node.</summary>
internal static class InfraTable
{
    private const string ProductLabel = "nvidia.com/gpu.product";

    /// <summary>One row a GPU type: what could be started now.</summary>
    public static TextTable ByType(IReadOnlyList<V1Node> nodes, IReadOnlyList<V1Pod> pods)
    {
        var rows = nodes.Select(node => Usage.Of(node, pods)).GroupBy(usage => usage.Type).OrderBy(type => type.Key, StringComparer.Ordinal)
            .Select(type => new[]
            {
                type.Key,
                type.Where(usage => usage.Usable).Sum(usage => usage.Free).ToString(),
                type.Sum(usage => usage.Total).ToString(),
                type.Count(usage => usage.Usable && usage.Free == usage.Total && usage.Total > 0).ToString(),
                type.Count().ToString(),
            });
        return new TextTable([new("GPU"), new("FREE"), new("TOTAL"), new("NODES EMPTY"), new("NODES")], [.. rows]);
    }

    public static TextTable ByNode(IReadOnlyList<V1Node> nodes, IReadOnlyList<V1Pod> pods)
    {
        TableColumn[] columns =
        [
            new("NODE"), new("STATUS"), new("GPU"), new("FREE"), new("TOTAL"), new("PODS"),
            new("CPU", Wide: true), new("MEMORY", Wide: true), new("NOTE"),
        ];
        var rows = nodes.OrderBy(node => node.Name(), StringComparer.Ordinal).Select(node =>
        {
            var usage = Usage.Of(node, pods);
            return new[]
            {
                node.Name(), Status(node), usage.Type, usage.Free.ToString(), usage.Total.ToString(), usage.Pods.ToString(),
                Quantity(node, "cpu"), Quantity(node, "memory"), node.Annotations() is { } notes && notes.TryGetValue(Annotations.Virtual, out var note) ? note : "-",
            };
        });
        return new TextTable(columns, [.. rows]);
    }

    public static string Status(V1Node node)
    {
        var ready = node.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "Ready")?.Status == "True";
        return (ready, node.Spec?.Unschedulable ?? false) switch
        {
            (true, false) => "Ready",
            (true, true) => "Drained",
            _ => "NotReady",
        };
    }

    private static string Quantity(V1Node node, string resource) =>
        node.Status?.Allocatable is { } allocatable && allocatable.TryGetValue(resource, out var quantity) ? quantity.ToString() : "-";

    private sealed record Usage(string Type, int Total, int Free, int Pods, bool Usable)
    {
        public static Usage Of(V1Node node, IReadOnlyList<V1Pod> pods)
        {
            var here = pods.Where(pod => pod.Spec.NodeName == node.Name() && pod.Status?.Phase is not ("Succeeded" or "Failed")).ToArray();
            var total = Count(node.Status?.Allocatable ?? node.Status?.Capacity);
            var used = here.Sum(pod => pod.Spec.Containers.Sum(container => Count(container.Resources?.Requests ?? container.Resources?.Limits)));
            return new Usage(total == 0 ? "none" : TypeOf(node), total, Math.Max(0, total - used), here.Length, Status(node) == "Ready");
        }

        private static string TypeOf(V1Node node)
        {
            var labels = node.Labels();
            return labels is null ? "unknown"
                : labels.TryGetValue(Labels.Accelerator, out var type) || labels.TryGetValue(ProductLabel, out type) ? type
                : "unknown";
        }

        private static int Count(IDictionary<string, ResourceQuantity>? resources) =>
            resources is not null && resources.TryGetValue(Names.GpuResource, out var count)
            && int.TryParse(count.ToString(), CultureInfo.InvariantCulture, out var number) ? number : 0;
    }
}
