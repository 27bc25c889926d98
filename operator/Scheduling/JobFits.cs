namespace Trestle.Operator.Scheduling;

/// <summary>Where jobs of one shape and topology fit; made when first asked, and shared by all of them.</summary>
internal sealed class JobFits(Ledger ledger, Shape shape, Ask ask, bool[] matches, Domains? domains)
{
    private readonly ShapeFit?[] _fits = new ShapeFit?[3];

    public Shape Shape { get; } = shape;

    public Ask Ask { get; } = ask;

    /// <summary>By node: it has the labels, and only taints that are tolerated.</summary>
    public bool[] Matches { get; } = matches;

    /// <summary>Null when topology does not matter.</summary>
    public Domains? Domains { get; } = domains;

    public ShapeFit In(Room room) => _fits[(int)room] ??= new ShapeFit(ledger, room, Ask, Matches, Domains);

    /// <summary>The nodes it may go on, whatever is free on them.</summary>
    public IEnumerable<int> Matching()
    {
        for (var node = 0; node < Matches.Length; node++)
        {
            if (Matches[node]) yield return node;
        }
    }

    /// <summary>Whether a job of so many ranks has room, as far as it is alone.</summary>
    public bool HasRoom(Room room, GangJob job) =>
        job is { NeedsOneDomain: true, TopologyKey: not null } ? In(room).BestDomain() >= job.Nodes : In(room).Total >= job.Nodes;
}
