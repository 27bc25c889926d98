using System.Runtime.InteropServices;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Scheduling;

/// <summary>What one job holds of the nodes: the pods of its attempt, and what is reserved for ranks without a pod there.</summary>
/// <param name="attempt">The attempt that the nodes are reserved for; of a job that restarts, the one that is over.</param>
/// <param name="isKept">The job restarts, and this is what it kept of its last attempt.</param>
/// <param name="shape">What is reserved for a rank; null when it isn't known.</param>
internal sealed class JobHold(int attempt, bool isKept, Shape? shape)
{
    private readonly HashSet<int> _settled = [];
    private readonly List<(int Node, (string Resource, long Amount)[] Amounts)> _live = [];
    private readonly List<(int Node, (string Resource, long Amount)[] Amounts)> _extra = [];
    private Dictionary<int, Dictionary<string, long>>? _old;

    /// <summary>What it holds until it ends or gives it up.</summary>
    public IReadOnlyList<(int Node, (string Resource, long Amount)[] Amounts)> Live => _live;

    /// <summary>What pods of its earlier attempts hold beyond that until they have ended.</summary>
    public IReadOnlyList<(int Node, (string Resource, long Amount)[] Amounts)> Extra => _extra;

    /// <summary>What pods of its earlier attempts hold, by node.</summary>
    public IReadOnlyDictionary<int, Dictionary<string, long>>? Old => _old;

    /// <summary>Takes note of a pod that has a place or has ended.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="index">Its node; -1 when that is closed or unknown.</param>
    /// <param name="node">Its node.</param>
    public void See(PodUse pod, int index, PassNode? node)
    {
        var isOld = isKept || pod.Attempt != attempt;
        if (!isOld) _settled.Add(pod.Rank);
        if (node is null || pod.IsTerminal) return;
        if (isOld)
        {
            var sum = CollectionsMarshal.GetValueRefOrAddDefault(_old ??= [], index, out _) ??= [];
            foreach (var (resource, amount) in pod.Amounts) sum[resource] = sum.GetValueOrDefault(resource) + amount;
        }
        else
        {
            node.Take(pod.Amounts);
            _live.Add((index, pod.Amounts));
        }
    }

    /// <summary>
    /// Takes what is reserved of the nodes. Old pods leave before new ones are let go, so that on a node the larger of both
    /// counts and not the sum.
    /// </summary>
    public void Reserve(IEnumerable<RankAssignment> ranks, Func<string, int> indexOf, IReadOnlyList<PassNode> nodes)
    {
        var reserved = new Dictionary<int, int>();
        foreach (var rank in ranks)
        {
            if (shape is null || _settled.Contains(rank.Rank) || indexOf(rank.Node) is not (>= 0 and var index)) continue;
            nodes[index].Take(shape.Requests);
            _live.Add((index, shape.Requests));
            reserved[index] = reserved.GetValueOrDefault(index) + 1;
        }

        foreach (var (index, old) in _old ?? []) TakeExtra(index, nodes[index], Beyond(old, shape, reserved.GetValueOrDefault(index)));
    }

    /// <summary>How much of what old pods hold is more than so many ranks of the shape ask for.</summary>
    public static (string Resource, long Amount)[] Beyond(Dictionary<string, long> old, Shape? shape, int ranks)
    {
        var left = new Dictionary<string, long>(old);
        foreach (var (resource, amount) in shape?.Requests ?? []) left[resource] = left.GetValueOrDefault(resource) - (amount * ranks);
        return [.. left.Where(pair => pair.Value > 0).Select(pair => (pair.Key, pair.Value))];
    }

    private void TakeExtra(int index, PassNode node, (string Resource, long Amount)[] amounts)
    {
        if (amounts.Length == 0) return;
        node.TakeEnding(amounts);
        _extra.Add((index, amounts));
    }
}
