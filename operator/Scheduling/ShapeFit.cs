using System.Numerics;

namespace Trestle.Operator.Scheduling;

/// <summary>
/// How many ranks of one shape each node has room for, in one view of the ledger. It catches up with the changes of the ledger
/// when it is asked, so that shapes nobody asks about cost nothing.
/// </summary>
internal sealed class ShapeFit
{
    // Nodes with more slots than this are all alike.
    private const int Many = 128;

    private readonly Ledger _ledger;
    private readonly Room _room;
    private readonly Ask _ask;
    private readonly bool[] _matches;
    private readonly Domains? _domains;
    private readonly int[] _slots;
    private readonly long[] _domainTotals;

    // Nodes by their slots, as sets of bits: fullest first, so that empty nodes stay whole for those who need whole nodes.
    private readonly ulong[]?[] _buckets = new ulong[Many + 1][];
    private int _seen;
    private long _total;
    private long _best = -1;

    public ShapeFit(Ledger ledger, Room room, Ask ask, bool[] matches, Domains? domains)
    {
        (_ledger, _room, _ask, _matches, _domains) = (ledger, room, ask, matches, domains);
        _slots = new int[matches.Length];
        _domainTotals = new long[domains?.Names.Length ?? 0];
        _seen = ledger.Changes.Length;
        for (var node = 0; node < matches.Length; node++) Update(node);
    }

    /// <summary>Ranks that fit on all nodes together.</summary>
    public long Total
    {
        get
        {
            CatchUp();
            return _total;
        }
    }

    /// <summary>Ranks that fit on a node.</summary>
    public int Slots(int node)
    {
        CatchUp();
        return _slots[node];
    }

    /// <summary>Ranks that fit in a domain.</summary>
    public long InDomain(int domain)
    {
        CatchUp();
        return _domainTotals[domain];
    }

    /// <summary>The most ranks that fit into one domain.</summary>
    public long BestDomain()
    {
        CatchUp();
        if (_best >= 0) return _best;
        _best = 0;
        foreach (var total in _domainTotals) _best = Math.Max(_best, total);
        return _best;
    }

    /// <summary>So many nodes as have room for <paramref name="ranks"/> in all, with how many go on each; null when they don't fit.</summary>
    /// <param name="ranks">More than 0.</param>
    /// <param name="avoid">Nodes used only when others don't suffice.</param>
    public List<(int Node, int Ranks)>? Fill(int ranks, IReadOnlySet<string> avoid)
    {
        CatchUp();
        if (_total < ranks) return null;
        var fill = new List<(int, int)>();
        FillFrom(Fullest(), fill, ref ranks, avoid);
        return ranks == 0 ? fill : null;
    }

    /// <summary>The same, in the one domain that fits tightest; null when there is none.</summary>
    public List<(int Node, int Ranks)>? FillDomain(int ranks, IReadOnlySet<string> avoid)
    {
        CatchUp();
        var (best, bestLeft, bestAvoids) = (-1, long.MaxValue, true);
        for (var domain = 0; domain < _domainTotals.Length; domain++)
        {
            if (_domainTotals[domain] < ranks) continue;
            var avoids = avoid.Count > 0 && _domainTotals[domain] - Avoided(domain, avoid) < ranks;
            if (avoids && !bestAvoids) continue;
            if (avoids == bestAvoids && _domainTotals[domain] >= bestLeft) continue;
            (best, bestLeft, bestAvoids) = (domain, _domainTotals[domain], avoids);
        }

        return best < 0 ? null : FillIn(best, ranks, avoid);
    }

    /// <summary>Over as few domains as possible: the largest whole, the last as tight as possible; nodes of no domain at the end.</summary>
    public List<(int Node, int Ranks)>? FillDomains(int ranks, IReadOnlySet<string> avoid)
    {
        if (FillDomain(ranks, avoid) is { } one) return one;
        if (_total < ranks) return null;
        var fill = new List<(int Node, int Ranks)>();
        var open = Enumerable.Range(0, _domainTotals.Length).Where(domain => _domainTotals[domain] > 0).OrderByDescending(domain => _domainTotals[domain]).ToList();
        while (ranks > 0 && open.Count > 0)
        {
            var left = ranks;
            var next = Math.Max(open.FindLastIndex(domain => _domainTotals[domain] >= left), 0);
            FillFrom(Ordered(open[next]), fill, ref ranks, avoid);
            open.RemoveAt(next);
        }

        if (ranks > 0) FillFrom(Fullest().Where(node => _domains!.Of[node] < 0), fill, ref ranks, avoid);
        return fill;
    }

    /// <summary>In one domain, which must have the room.</summary>
    public List<(int Node, int Ranks)> FillIn(int domain, int ranks, IReadOnlySet<string> avoid)
    {
        var fill = new List<(int, int)>();
        FillFrom(Ordered(domain), fill, ref ranks, avoid);
        return fill;
    }

    private void FillFrom(IEnumerable<int> nodes, List<(int Node, int Ranks)> fill, ref int ranks, IReadOnlySet<string> avoid)
    {
        List<int>? last = null;
        foreach (var node in nodes)
        {
            if (avoid.Count > 0 && avoid.Contains(_ledger.Nodes[node].Name)) (last ??= []).Add(node);
            else Put(node, fill, ref ranks);
            if (ranks == 0) return;
        }

        foreach (var node in last ?? [])
        {
            Put(node, fill, ref ranks);
            if (ranks == 0) return;
        }
    }

    private void Put(int node, List<(int Node, int Ranks)> fill, ref int ranks)
    {
        var count = Math.Min(_slots[node], ranks);
        fill.Add((node, count));
        ranks -= count;
    }

    private long Avoided(int domain, IReadOnlySet<string> avoid) => _domains!.Members[domain].Where(node => avoid.Contains(_ledger.Nodes[node].Name)).Sum(node => (long)_slots[node]);

    private IEnumerable<int> Ordered(int domain) => _domains!.Members[domain].Where(node => _slots[node] > 0).OrderBy(node => _slots[node]).ThenBy(node => node);

    private IEnumerable<int> Fullest()
    {
        foreach (var bucket in _buckets)
        {
            for (var word = 0; word < bucket?.Length; word++)
            {
                for (var bits = bucket[word]; bits != 0; bits &= bits - 1) yield return (word * 64) + BitOperations.TrailingZeroCount(bits);
            }
        }
    }

    private void CatchUp()
    {
        var changes = _ledger.Changes;
        if (_seen == changes.Length) return;
        if (changes.Length - _seen >= _slots.Length)
        {
            for (var node = 0; node < _slots.Length; node++) Update(node);
        }
        else
        {
            foreach (var node in changes[_seen..]) Update(node);
        }

        _seen = changes.Length;
    }

    private void Update(int node)
    {
        if (!_matches[node]) return;
        var slots = _ledger.Slots(_room, node, _ask);
        var old = _slots[node];
        if (slots == old) return;
        var (word, bit) = (node / 64, 1UL << (node % 64));
        if (old > 0) _buckets[Math.Min(old, Many)]![word] &= ~bit;
        if (slots > 0) (_buckets[Math.Min(slots, Many)] ??= new ulong[(_slots.Length / 64) + 1])[word] |= bit;
        _total += slots - old;
        _best = -1;
        if (_domains?.Of[node] is >= 0 and var domain) _domainTotals[domain] += slots - old;
        _slots[node] = slots;
    }
}
