namespace Trestle.Operator.Scheduling;

/// <summary>What the jobs of a gang ask for together: gangs of one shape fit or fail alike, whatever they are called.</summary>
internal sealed class GangShape : IEquatable<GangShape>
{
    private readonly (JobFits Fits, int Nodes, bool OneDomain)[] _parts;
    private readonly int _hash;

    private GangShape((JobFits Fits, int Nodes, bool OneDomain)[] parts)
    {
        _parts = parts;
        var hash = default(HashCode);
        foreach (var part in parts) hash.Add(part);
        _hash = hash.ToHashCode();
    }

    public static GangShape Of(Gang gang, Placer placer) => new([.. gang.Jobs.Select(job => (placer.Of(job), job.Nodes, job.NeedsOneDomain))]);

    public bool Equals(GangShape? other) => other is not null && _parts.AsSpan().SequenceEqual(other._parts);

    public override bool Equals(object? obj) => Equals(obj as GangShape);

    public override int GetHashCode() => _hash;
}
