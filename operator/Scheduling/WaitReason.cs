using System.Globalization;
using Trestle.Api.Launch;

namespace Trestle.Operator.Scheduling;

/// <summary>Says in a sentence why jobs of a shape don't fit.</summary>
internal sealed class WaitReason
{
    private const long Gi = 1L << 30;
    private const long Mi = 1L << 20;
    private readonly Shape _shape;
    private readonly long _free;
    private readonly long _ever;
    private readonly string? _never;
    private readonly IReadOnlyList<(string Resource, long Amount, long Free)> _sums = [];

    /// <summary>Sums up the nodes once for all jobs of the shape.</summary>
    public WaitReason(Shape shape, IReadOnlyList<PassNode> nodes, ShapeFit fit)
    {
        _shape = shape;
        var matching = fit.Matching.Select(node => nodes[node]).ToList();
        _never = matching.Count == 0 ? NoMatch(nodes) : shape.Requests.Select(request => TooLarge(request.Resource, request.Amount, matching)).FirstOrDefault(text => text is not null);
        if (_never is not null) return;
        _free = fit.Total;
        _ever = matching.Sum(node => (long)shape.Slots(node.Allocatable));
        _sums = [.. shape.Requests.OrderBy(request => Rank(request.Resource)).Select(request => (request.Resource, request.Amount, matching.Sum(node => Math.Max(node.Free.GetValueOrDefault(request.Resource), 0))))];
    }

    /// <summary>For a job of so many ranks, e.g. "waiting for 16 H100, 8 free".</summary>
    public string For(int ranks)
    {
        if (_never is not null) return _never;
        if (_ever < ranks) return $"asks for {Places(ranks)}; the cluster has {Whole(_ever)}";
        foreach (var (resource, amount, free) in _sums)
        {
            if (free < amount * ranks) return $"waiting for {Amount(resource, amount * ranks)}, {Number(resource, free)} free";
        }

        return $"waiting for {Places(ranks)}, {Whole(_free)} free";
    }

    private string NoMatch(IReadOnlyList<PassNode> nodes)
    {
        if (nodes.Count == 0) return "no node is ready to take pods";
        return _shape.Accelerator is { } accelerator && !nodes.Any(node => node.Labels.GetValueOrDefault(Labels.Accelerator) == accelerator)
            ? $"asks for {accelerator}, and no ready node has it"
            : "no ready node has the labels of its node selector and only taints that it tolerates";
    }

    private string? TooLarge(string resource, long amount, List<PassNode> matching)
    {
        var largest = matching.Max(node => node.Allocatable.GetValueOrDefault(resource));
        return largest < amount ? $"asks for {Amount(resource, amount)} on one node; the largest node has {Number(resource, largest)}" : null;
    }

    // "2 nodes with 8 H100 and 4 CPUs each"
    private string Places(int count)
    {
        var asked = _shape.Requests.Where(request => request.Resource != PodRequests.Pods).OrderBy(request => Rank(request.Resource)).Select(request => Amount(request.Resource, request.Amount)).ToList();
        var nodes = count == 1 ? "1 node" : $"{Whole(count)} nodes";
        return asked.Count == 0 ? nodes : $"{nodes} with {string.Join(" and ", asked)}{(count == 1 ? "" : " each")}";
    }

    private static int Rank(string resource) => resource switch { Names.GpuResource => 0, PodRequests.Cpu => 2, PodRequests.Memory => 3, PodRequests.Pods => 4, _ => 1 };

    private string Amount(string resource, long amount) => resource switch
    {
        Names.GpuResource => $"{Whole(amount)} {_shape.Accelerator ?? (amount == 1 ? "GPU" : "GPUs")}",
        PodRequests.Cpu => $"{Number(resource, amount)} {(amount == 1000 ? "CPU" : "CPUs")}",
        PodRequests.Memory => $"{Number(resource, amount)} of memory",
        PodRequests.Pods => amount == 1 ? "1 pod" : $"{Whole(amount)} pods",
        _ => $"{Whole(amount)} {resource}",
    };

    private static string Number(string resource, long amount) => resource switch
    {
        PodRequests.Cpu => (amount / 1000m).ToString("0.###", CultureInfo.InvariantCulture),
        PodRequests.Memory when amount >= Gi => $"{(amount / (decimal)Gi).ToString("0.#", CultureInfo.InvariantCulture)}Gi",
        PodRequests.Memory => $"{(amount / (decimal)Mi).ToString("0.#", CultureInfo.InvariantCulture)}Mi",
        _ => Whole(amount),
    };

    private static string Whole(long number) => number.ToString(CultureInfo.InvariantCulture);
}
