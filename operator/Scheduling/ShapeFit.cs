namespace Trestle.Operator.Scheduling;

/// <summary>How many ranks of one shape each node has room for, kept up to date while a pass gives nodes away.</summary>
internal sealed class ShapeFit
{
    private readonly Shape _shape;
    private readonly IReadOnlyList<PassNode> _nodes;
    private readonly int[] _slots;

    // Fullest first, so that empty nodes stay whole for those who need whole nodes. Made for the first job that fits.
    private SortedSet<(int Slots, int Node)>? _order;

    public ShapeFit(Shape shape, IReadOnlyList<PassNode> nodes)
    {
        (_shape, _nodes, _slots) = (shape, nodes, new int[nodes.Count]);
        Matching = Enumerable.Range(0, nodes.Count).Where(node => shape.Matches(nodes[node])).ToHashSet();
        foreach (var node in Matching) Update(node);
    }

    /// <summary>Nodes with the labels and taints for it, whatever is free on them.</summary>
    public IReadOnlySet<int> Matching { get; }

    /// <summary>Ranks that fit on all nodes together.</summary>
    public long Total { get; private set; }

    /// <summary>Looks at a node again after something was taken of it or given back.</summary>
    public void Update(int node)
    {
        if (!Matching.Contains(node)) return;
        var slots = _shape.Slots(_nodes[node].Free);
        if (slots == _slots[node]) return;
        if (_slots[node] > 0) _order?.Remove((_slots[node], node));
        if (slots > 0) _order?.Add((slots, node));
        Total += slots - _slots[node];
        _slots[node] = slots;
    }

    /// <summary>So many nodes as have room for <paramref name="ranks"/> in all, with how many go on each; null when they don't fit.</summary>
    public IReadOnlyList<(int Node, int Ranks)>? Fill(int ranks, IReadOnlySet<string> avoid)
    {
        if (Total < ranks) return null;
        _order ??= [.. Matching.Where(node => _slots[node] > 0).Select(node => (_slots[node], node))];
        var fill = new List<(int, int)>();
        foreach (var avoided in (bool[])(avoid.Count == 0 ? [false] : [false, true]))
        {
            foreach (var (slots, node) in _order)
            {
                if (avoid.Contains(_nodes[node].Name) != avoided) continue;
                fill.Add((node, Math.Min(slots, ranks)));
                ranks -= Math.Min(slots, ranks);
                if (ranks == 0) return fill;
            }
        }

        return null;
    }
}
