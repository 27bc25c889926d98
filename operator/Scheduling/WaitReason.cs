using Trestle.Api.Launch;
using static Trestle.Operator.Scheduling.Amounts;

namespace Trestle.Operator.Scheduling;

/// <summary>Says in a sentence why jobs of a shape don't fit.</summary>
internal sealed class WaitReason
{
    private readonly JobFits _fits;
    private readonly Shape _shape;
    private readonly long _free;
    private readonly long _ever;
    private readonly string? _never;
    private readonly IReadOnlyList<(string Resource, long Amount, long Free)> _sums = [];

    /// <summary>Sums up the nodes once for all jobs of the shape.</summary>
    public WaitReason(JobFits fits, Ledger ledger)
    {
        (_fits, _shape) = (fits, fits.Shape);
        var requests = _shape.Requests.OrderBy(request => Rank(request.Resource)).Select(request => (request.Resource, request.Amount, Sum: ledger.Sum(request.Resource, fits.Matches))).ToList();
        _never = Array.IndexOf(fits.Matches, true) < 0 ? NoMatch(ledger.Nodes) : requests.Select(request => TooLarge(request.Resource, request.Amount, request.Sum.Largest)).FirstOrDefault(text => text is not null);
        if (_never is not null) return;
        _free = fits.In(Room.Now).Total;
        _ever = ledger.Capacity(fits.Ask, fits.Matches);
        _sums = [.. requests.Select(request => (request.Resource, request.Amount, request.Sum.Free))];
    }

    /// <summary>For a job of so many ranks, e.g. "waiting for 16 H100, 8 free".</summary>
    /// <param name="ranks">Ranks.</param>
    /// <param name="oneDomain">All must be in one domain.</param>
    public string For(int ranks, bool oneDomain = false)
    {
        if (_never is not null) return _never;
        if (_ever < ranks) return $"asks for {Places(ranks)}; the cluster has {Whole(_ever)}";
        if (oneDomain && _fits.Domains is { } domains && InDomain(ranks, domains) is { } reason) return reason;
        foreach (var (resource, amount, free) in _sums)
        {
            if (free < amount * ranks) return $"waiting for {InWords(resource, amount * ranks, _shape.Accelerator)}, {Number(resource, free)} free";
        }

        return $"waiting for {Places(ranks)}, {Whole(_free)} free";
    }

    private string? InDomain(int ranks, Domains domains)
    {
        var word = Domains.Word(domains.Key);
        if (domains.Names.Length == 0) return $"no ready node has the label {domains.Key} that scheduling.topology names";
        var best = _fits.In(Room.Now).BestDomain();
        return best >= ranks ? null : $"no {word} has room for {Places(ranks)}; the best has {Whole(best)}";
    }

    private string NoMatch(IReadOnlyList<PassNode> nodes)
    {
        if (nodes.Count == 0) return "no node is ready to take pods";
        return _shape.Accelerator is { } accelerator && !nodes.Any(node => node.Labels.GetValueOrDefault(Labels.Accelerator) == accelerator)
            ? $"asks for {accelerator}, and no ready node has it"
            : "no ready node has the labels of its node selector and only taints that it tolerates";
    }

    private string? TooLarge(string resource, long amount, long largest) =>
        largest < amount ? $"asks for {InWords(resource, amount, _shape.Accelerator)} on one node; the largest node has {Number(resource, largest)}" : null;

    // "2 nodes with 8 H100 and 4 CPUs each"
    private string Places(int count)
    {
        var asked = _shape.Requests.Where(request => request.Resource != PodRequests.Pods).OrderBy(request => Rank(request.Resource)).Select(request => InWords(request.Resource, request.Amount, _shape.Accelerator)).ToList();
        var nodes = count == 1 ? "1 node" : $"{Whole(count)} nodes";
        return asked.Count == 0 ? nodes : $"{nodes} with {string.Join(" and ", asked)}{(count == 1 ? "" : " each")}";
    }
}
