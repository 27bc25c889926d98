using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Scheduling;

/// <summary>A job with a node for every rank.</summary>
/// <param name="Job">The job.</param>
/// <param name="Fits">Where it fits.</param>
/// <param name="NodeOfRank">Node of every rank.</param>
/// <param name="Fill">Ranks by node.</param>
internal sealed record Placement(GangJob Job, JobFits Fits, int[] NodeOfRank, IReadOnlyList<(int Node, int Ranks)> Fill);

/// <summary>Finds nodes for whole gangs and takes them of the ledger, or takes nothing.</summary>
internal sealed class Placer(Ledger ledger, IReadOnlyDictionary<string, IReadOnlyList<RankAssignment>> promised)
{
    private readonly Dictionary<(Shape Shape, string? Key), JobFits> _fits = [];
    private readonly Dictionary<Shape, (Ask Ask, bool[] Matches)> _shapes = [];
    private readonly Dictionary<string, Domains> _domains = [];
    private (GangJob? Job, JobFits? Fits) _last;

    public JobFits Of(GangJob job)
    {
        // Asked several times while a gang is decided about.
        if (!ReferenceEquals(job, _last.Job)) _last = (job, Find(job));
        return _last.Fits!;
    }

    private JobFits Find(GangJob job)
    {
        if (_fits.TryGetValue((job.Shape, job.TopologyKey), out var known)) return known;
        if (!_shapes.TryGetValue(job.Shape, out var shape))
        {
            var matches = new bool[ledger.Nodes.Count];
            for (var node = 0; node < matches.Length; node++) matches[node] = job.Shape.Matches(ledger.Nodes[node]);
            _shapes[job.Shape] = shape = (ledger.Ask(job.Shape.Requests), matches);
        }

        Domains? domains = null;
        if (job.TopologyKey is { } key && !_domains.TryGetValue(key, out domains)) _domains[key] = domains = new Domains(key, ledger.Nodes);
        return _fits[(job.Shape, job.TopologyKey)] = new JobFits(ledger, job.Shape, shape.Ask, shape.Matches, domains);
    }

    /// <summary>Takes nodes for all jobs of a gang.</summary>
    /// <param name="gang">The gang.</param>
    /// <param name="room">Now or Later.</param>
    /// <param name="blocked">Told of the first job that does not fit, before the others give back.</param>
    /// <returns>Null when not all of it fits; then nothing is taken.</returns>
    public List<Placement>? Take(Gang gang, Room room, Action<GangJob>? blocked = null)
    {
        var placed = new List<Placement>();

        // Whoever has the least choice chooses first.
        foreach (var job in gang.Jobs.Count == 1 ? gang.Jobs : [.. gang.Jobs.OrderBy(job => Of(job).In(room).Total / (double)job.Nodes)])
        {
            if (Find(job, room) is not { } placement)
            {
                blocked?.Invoke(job);
                GiveBack(placed, room);
                return null;
            }

            Move(placement, room, 1);
            placed.Add(placement);
        }

        return placed;
    }

    public void GiveBack(List<Placement> placed, Room room)
    {
        foreach (var placement in placed) Move(placement, room, -1);
    }

    /// <summary>Reserves the nodes on which a gang could start soonest if jobs only ended: the emptiest of those that suffice.</summary>
    /// <returns>Null when it does not fit even without all other jobs; then nothing is taken.</returns>
    public List<Placement>? Reserve(Gang gang)
    {
        var placed = new List<Placement>();
        foreach (var job in gang.Jobs)
        {
            if (FindSoonest(job) is not { } fill)
            {
                Unreserve(placed);
                return null;
            }

            var placement = new Placement(job, Of(job), [], fill);
            foreach (var (node, ranks) in fill) ledger.Reserve(node, placement.Fits.Ask, ranks);
            placed.Add(placement);
        }

        return placed;
    }

    public void Unreserve(List<Placement> placed)
    {
        foreach (var placement in placed)
        {
            foreach (var (node, ranks) in placement.Fill) ledger.Reserve(node, placement.Fits.Ask, -ranks);
        }
    }

    private void Move(Placement placement, Room room, int sign)
    {
        foreach (var (node, ranks) in placement.Fill) Move(node, placement.Fits.Ask, room, ranks * sign);
    }

    private void Move(int node, Ask ask, Room room, int count)
    {
        if (room == Room.Now) ledger.Take(node, ask, count);
        else ledger.TakeLater(node, ask, count);
    }

    private Placement? Find(GangJob job, Room room)
    {
        var fits = Of(job);
        var known = job.Kept.Count > 0 ? job.Kept : promised.GetValueOrDefault(job.Uid);
        if (known is not null && FindFrom(known, job, fits, room) is { } found) return found;
        return Fill(job, fits.In(room), job.Nodes) is { } fill ? Placed(job, fits, fill, []) : null;
    }

    private static List<(int Node, int Ranks)>? Fill(GangJob job, ShapeFit fit, int ranks) =>
        job.TopologyKey is null ? fit.Fill(ranks, job.Avoid)
        : job.NeedsOneDomain ? fit.FillDomain(ranks, job.Avoid)
        : fit.FillDomains(ranks, job.Avoid);

    // The ranks that have kept their nodes, or were promised them, go there; the others go near them.
    private Placement? FindFrom(IReadOnlyList<RankAssignment> known, GangJob job, JobFits fits, Room room)
    {
        var stay = Staying(known, job, fits, room);
        if (stay.Count == 0) return null;
        foreach (var node in stay.Values) Move(node, fits.Ask, room, 1);
        var rest = job.Nodes - stay.Count;
        var fill = rest == 0 ? [] : FillNear(job, fits, room, rest, stay.Values.First());
        foreach (var node in stay.Values) Move(node, fits.Ask, room, -1);
        return fill is null ? null : Placed(job, fits, fill, stay);
    }

    private static List<(int Node, int Ranks)>? FillNear(GangJob job, JobFits fits, Room room, int rest, int near)
    {
        var fit = fits.In(room);
        if (fits.Domains is not { } domains) return fit.Fill(rest, job.Avoid);
        var domain = domains.Of[near];
        if (domain >= 0 && fit.InDomain(domain) >= rest) return fit.FillIn(domain, rest, job.Avoid);
        return job.NeedsOneDomain ? null : fit.FillDomains(rest, job.Avoid);
    }

    private Dictionary<int, int> Staying(IReadOnlyList<RankAssignment> known, GangJob job, JobFits fits, Room room)
    {
        var fit = fits.In(room);
        var taken = new Dictionary<int, int>();
        var stay = new Dictionary<int, int>();
        int? domain = null;
        foreach (var rank in known.Where(rank => rank.Rank < job.Nodes).OrderBy(rank => rank.Rank))
        {
            if (IndexOf(rank.Node) is not (>= 0 and var node) || !fits.Matches[node] || fit.Slots(node) <= taken.GetValueOrDefault(node)) continue;
            if (job.NeedsOneDomain && fits.Domains is { } domains && (domains.Of[node] < 0 || (domain ??= domains.Of[node]) != domains.Of[node])) continue;
            taken[node] = taken.GetValueOrDefault(node) + 1;
            stay[rank.Rank] = node;
        }

        return stay;
    }

    // Nodes are in the order of their names.
    private int IndexOf(string name)
    {
        var (low, high) = (0, ledger.Nodes.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = string.CompareOrdinal(ledger.Nodes[middle].Name, name);
            if (order == 0) return middle;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }

        return -1;
    }

    // Neighbouring ranks share a node and a domain, and both go by name, so that the order is the same every time.
    private Placement Placed(GangJob job, JobFits fits, List<(int Node, int Ranks)> fill, Dictionary<int, int> stay)
    {
        var domains = fits.Domains;
        var ordered = fill.OrderBy(part => domains is null || domains.Of[part.Node] < 0 ? int.MaxValue : domains.Of[part.Node]).ThenBy(part => ledger.Nodes[part.Node].Name, StringComparer.Ordinal);
        var free = ordered.SelectMany(part => Enumerable.Repeat(part.Node, part.Ranks)).GetEnumerator();
        var nodes = new int[job.Nodes];
        for (var rank = 0; rank < nodes.Length; rank++)
        {
            if (stay.TryGetValue(rank, out var kept)) nodes[rank] = kept;
            else if (free.MoveNext()) nodes[rank] = free.Current;
        }

        return new Placement(job, fits, nodes, stay.Count == 0 ? fill : [.. nodes.GroupBy(node => node).Select(group => (group.Key, group.Count()))]);
    }

    private List<(int Node, int Ranks)>? FindSoonest(GangJob job)
    {
        var fits = Of(job);
        var (ever, now) = (fits.In(Room.Ever), fits.In(Room.Now));
        IEnumerable<int> nodes = fits.Matching();
        if (job is { NeedsOneDomain: true } && fits.Domains is { } domains)
        {
            var best = Enumerable.Range(0, domains.Names.Length).Where(domain => ever.InDomain(domain) >= job.Nodes).OrderByDescending(now.InDomain).FirstOrDefault(-1);
            if (best < 0) return null;
            nodes = domains.Members[best].Where(node => fits.Matches[node]);
        }
        else if (ever.Total < job.Nodes)
        {
            return null;
        }

        var fill = new List<(int, int)>();
        var ranks = job.Nodes;
        foreach (var node in nodes.Where(node => ever.Slots(node) > 0).OrderByDescending(now.Slots).ThenByDescending(ever.Slots).ThenBy(node => node))
        {
            var count = Math.Min(ever.Slots(node), ranks);
            fill.Add((node, count));
            ranks -= count;
            if (ranks == 0) return fill;
        }

        return null;
    }
}
