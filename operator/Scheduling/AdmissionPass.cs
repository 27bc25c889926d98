namespace Trestle.Operator.Scheduling;

/// <summary>
/// Gives nodes to gangs, whole gangs in order of priority, time and uid. A gang that doesn't fit is passed by smaller ones
/// behind it. Each job fills the fullest nodes that have room first. Pure but for what it takes of the nodes.
/// </summary>
internal sealed class AdmissionPass
{
    private readonly IReadOnlyList<PassNode> _nodes;
    private readonly Dictionary<Shape, ShapeFit> _fits = [];
    private readonly List<AdmittedJob> _admitted = [];
    private readonly List<(Gang Gang, string? Reason)> _waiting = [];

    private AdmissionPass(IReadOnlyList<PassNode> nodes) => _nodes = nodes;

    /// <summary>Decides about all gangs; takes what it gives away from the nodes.</summary>
    public static PassResult Run(IReadOnlyList<PassNode> nodes, IEnumerable<Gang> gangs)
    {
        var pass = new AdmissionPass(nodes);
        foreach (var gang in gangs.OrderByDescending(gang => gang.Begun).ThenByDescending(gang => gang.Priority).ThenBy(gang => gang.QueuedAt).ThenBy(gang => gang.Uid, StringComparer.Ordinal))
        {
            pass.Decide(gang);
        }

        return new PassResult(pass._admitted, pass.Waiting());
    }

    private void Decide(Gang gang)
    {
        var placed = new List<(GangJob Job, IReadOnlyList<(int Node, int Ranks)> Fill)>();

        // Whoever has the least choice chooses first.
        foreach (var job in gang.Jobs.Count == 1 ? gang.Jobs : [.. gang.Jobs.OrderBy(job => Fit(job.Shape).Total / (double)job.Nodes)])
        {
            var size = (int)Math.Clamp(Fit(job.Shape).Total, job.Fewest, job.Nodes);
            if (Fit(job.Shape).Fill(size, job.Avoid) is not { } fill)
            {
                // Told before the others of the gang give back, because they are why it does not fit.
                _waiting.Add((gang, gang.Jobs.Count == 1 ? null : $"{job.Job.Name}: {Reason(job.Shape).For(job.Nodes)}; the tasks of the group start together"));
                foreach (var (other, taken) in placed) Take(other.Shape, taken, -1);
                return;
            }

            Take(job.Shape, fill, 1);
            placed.Add((job, fill));
        }

        foreach (var (job, fill) in placed) _admitted.Add(new AdmittedJob(job, NodesByRank(fill)));
    }

    // At the end, when the figures of a shape are the same for all: they are only summed up once.
    private List<WaitingGang> Waiting()
    {
        var reasons = new Dictionary<Shape, WaitReason>();
        var waiting = new List<WaitingGang>(_waiting.Count);
        foreach (var (gang, known) in _waiting)
        {
            var job = gang.Jobs[0];
            if (known is null && !reasons.ContainsKey(job.Shape)) reasons[job.Shape] = Reason(job.Shape);
            waiting.Add(new WaitingGang(gang, waiting.Count + 1, known ?? reasons[job.Shape].For(job.Nodes)));
        }

        return waiting;
    }

    private WaitReason Reason(Shape shape) => new(shape, _nodes, Fit(shape));

    private ShapeFit Fit(Shape shape)
    {
        if (!_fits.TryGetValue(shape, out var fit)) _fits[shape] = fit = new ShapeFit(shape, _nodes);
        return fit;
    }

    private void Take(Shape shape, IReadOnlyList<(int Node, int Ranks)> fill, int sign)
    {
        foreach (var (node, ranks) in fill)
        {
            _nodes[node].Take(shape.Requests, ranks * sign);
            foreach (var fit in _fits.Values) fit.Update(node);
        }
    }

    // Neighbouring ranks share a node, and nodes go by name, so that the order is the same every time.
    private List<string> NodesByRank(IReadOnlyList<(int Node, int Ranks)> fill) =>
        [.. fill.OrderBy(part => _nodes[part.Node].Name, StringComparer.Ordinal).SelectMany(part => Enumerable.Repeat(_nodes[part.Node].Name, part.Ranks))];
}
