using System.Runtime.InteropServices;

namespace Trestle.Operator.Scheduling;

/// <summary>Which room of the nodes is meant.</summary>
internal enum Room
{
    /// <summary>What is free now and promised to nobody.</summary>
    Now,

    /// <summary>What is free and promised to nobody when all that was told to end has ended.</summary>
    Later,

    /// <summary>What is free when every job has ended, less what is reserved for those that wait too long.</summary>
    Ever,

    /// <summary>What pods may ask for on an empty node.</summary>
    Empty,
}

/// <summary>What a rank asks of a node, by the columns of a ledger; null when no node has one of the resources.</summary>
internal sealed record Ask((int Column, long Amount)[]? Amounts);

/// <summary>
/// What the nodes have left during one pass, as numbers. Who is admitted takes of Now and Later; who is promised what is about
/// to be free takes of Later alone, and Now is never more than Later, so that nobody else gets it.
/// </summary>
internal sealed class Ledger
{
    private readonly Dictionary<string, int> _columns;
    private readonly long[] _now;
    private readonly long[] _later;
    private readonly long[] _ever;
    private readonly long[] _allocatable;
    private readonly List<int> _changes = [];

    public Ledger(IReadOnlyList<PassNode> nodes)
    {
        (Nodes, _columns) = (nodes, []);
        foreach (var resource in nodes.SelectMany(node => node.Allocatable.Keys)) _columns.TryAdd(resource, _columns.Count);
        var size = nodes.Count * _columns.Count;
        (_now, _later, _ever, _allocatable) = (new long[size], new long[size], new long[size], new long[size]);
        for (var node = 0; node < nodes.Count; node++) Open(node);
    }

    /// <summary>What another has left at this moment; neither changes the other.</summary>
    public Ledger(Ledger other)
    {
        (Nodes, _columns, HasLater) = (other.Nodes, other._columns, other.HasLater);
        (_now, _later, _ever, _allocatable) = ([.. other._now], [.. other._later], [.. other._ever], [.. other._allocatable]);
    }

    public IReadOnlyList<PassNode> Nodes { get; }

    /// <summary>Nodes whose room changed, in the order of the changes.</summary>
    public ReadOnlySpan<int> Changes => CollectionsMarshal.AsSpan(_changes);

    /// <summary>Whether more is free later than now, so that it is worth to look.</summary>
    public bool HasLater { get; private set; }

    public Ask Ask(IEnumerable<(string Resource, long Amount)> amounts)
    {
        var asked = amounts.Where(pair => pair.Amount > 0).ToList();
        return new Ask(asked.TrueForAll(pair => _columns.ContainsKey(pair.Resource)) ? [.. asked.Select(pair => (_columns[pair.Resource], pair.Amount))] : null);
    }

    /// <summary>Of amounts on a node, those that any node has.</summary>
    public Ask Known(IEnumerable<(string Resource, long Amount)> amounts) => Ask(amounts.Where(pair => _columns.ContainsKey(pair.Resource)));

    /// <summary>How many ranks a node has room for.</summary>
    public int Slots(Room room, int node, Ask ask)
    {
        if (ask.Amounts is null) return 0;
        var slots = (long)int.MaxValue;
        var start = node * _columns.Count;
        foreach (var (column, amount) in ask.Amounts)
        {
            var at = start + column;
            var left = room switch { Room.Now => Math.Min(_now[at], _later[at]), Room.Later => _later[at], Room.Ever => _ever[at], _ => _allocatable[at] };
            if (left < amount) return 0;
            slots = Math.Min(slots, left / amount);
        }

        return (int)slots;
    }

    /// <summary>What the nodes that are marked have of a resource now, and the most that one of them has when it is empty.</summary>
    public (long Free, long Largest) Sum(string resource, bool[] nodes)
    {
        var (free, largest) = (0L, 0L);
        if (!_columns.TryGetValue(resource, out var column)) return (0, 0);
        for (var node = 0; node < nodes.Length; node++)
        {
            if (!nodes[node]) continue;
            var at = (node * _columns.Count) + column;
            free += Math.Max(Math.Min(_now[at], _later[at]), 0);
            largest = Math.Max(largest, _allocatable[at]);
        }

        return (free, largest);
    }

    /// <summary>How many ranks the nodes that are marked would take if they were empty.</summary>
    public long Capacity(Ask ask, bool[] nodes)
    {
        var sum = 0L;
        for (var node = 0; node < nodes.Length; node++)
        {
            if (nodes[node]) sum += Slots(Room.Empty, node, ask);
        }

        return sum;
    }

    /// <summary>Takes for good; gives back when the count is negative.</summary>
    public void Take(int node, Ask ask, int count)
    {
        Add(_now, node, ask, -count);
        Add(_later, node, ask, -count);
        _changes.Add(node);
    }

    /// <summary>Takes what is there now only, as pods do that are about to end; gives back when the count is negative.</summary>
    public void TakeNow(int node, Ask ask, int count)
    {
        Add(_now, node, ask, -count);
        HasLater = true;
        _changes.Add(node);
    }

    /// <summary>Promises what will be free; takes the promise back, or counts what is made free, when the count is negative.</summary>
    public void TakeLater(int node, Ask ask, int count)
    {
        Add(_later, node, ask, -count);
        HasLater = true;
        _changes.Add(node);
    }

    /// <summary>Reserves for one that waits too long: also of what is free when all jobs have ended.</summary>
    public void Reserve(int node, Ask ask, int count)
    {
        Add(_ever, node, ask, -count);
        Take(node, ask, count);
    }

    private void Open(int node)
    {
        var start = node * _columns.Count;
        var view = Nodes[node];
        foreach (var (resource, amount) in view.Free)
        {
            if (_columns.TryGetValue(resource, out var column)) _now[start + column] = _later[start + column] = amount;
        }

        foreach (var (resource, amount) in view.Allocatable) _ever[start + _columns[resource]] = _allocatable[start + _columns[resource]] = amount;
        foreach (var (resource, amount) in view.Foreign ?? new Dictionary<string, long>())
        {
            if (_columns.TryGetValue(resource, out var column)) _ever[start + column] -= amount;
        }

        foreach (var (resource, amount) in view.Ending ?? new Dictionary<string, long>())
        {
            if (!_columns.TryGetValue(resource, out var column)) continue;
            _later[start + column] += amount;
            HasLater = true;
        }
    }

    private void Add(long[] of, int node, Ask ask, long count)
    {
        var start = node * _columns.Count;
        foreach (var (column, amount) in ask.Amounts ?? []) of[start + column] += amount * count;
    }
}
