using Trestle.Api.Launch;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Scheduling;

/// <summary>Nodes and gangs of passes in few words.</summary>
internal static class Nodes
{
    public static PassNode H100(string name, long free = 8, long all = 8)
    {
        var node = Node(name, "H100", all);
        node.Take([(Names.GpuResource, all - free)]);
        return node;
    }

    public static PassNode Node(string name, string? accelerator, long gpus, long cpus = 64, string? taint = null) => new(
        name,
        accelerator is null ? new Dictionary<string, string>() : new Dictionary<string, string> { [Labels.Accelerator] = accelerator },
        taint is null ? [] : [new TaintView { Key = taint, Effect = "NoSchedule" }],
        new Dictionary<string, long> { [Names.GpuResource] = gpus, [PodRequests.Cpu] = cpus * 1000, [PodRequests.Pods] = 110 });

    public static Shape Gpus(long count, string accelerator = "H100") =>
        new(new Dictionary<string, long> { [Names.GpuResource] = count, [PodRequests.Pods] = 1 }, new Dictionary<string, string> { [Labels.Accelerator] = accelerator });

    public static Shape Cpus(long count) => new(new Dictionary<string, long> { [PodRequests.Cpu] = count * 1000, [PodRequests.Pods] = 1 });

    public static Gang Gang(string name, int nodes, Shape shape, int priority = 0, int minute = 0, params string[] avoid) =>
        new(name, priority, At(minute), [Job(name, nodes, shape, avoid)]);

    public static Gang Together(string name, params GangJob[] jobs) => new(name, 0, At(0), jobs);

    public static GangJob Job(string name, int nodes, Shape shape, params string[] avoid) => new(new ObjectKey("research", name), nodes, shape, avoid.ToHashSet());

    private static DateTime At(int minute) => new(2026, 1, 1, 12, minute, 0, DateTimeKind.Utc);
}
