namespace Trestle.Operator.Scheduling;

/// <summary>The kinds of gangs that one pass meets: thousands that wait are of a few hundred kinds.</summary>
internal sealed class GangKinds(Placer placer, QuotaBook quotas)
{
    private readonly Dictionary<(Part Part, int Priority), GangKind> _alone = [];
    private readonly Dictionary<string, GangKind> _together = [];
    private readonly Dictionary<Part, int> _numbers = [];
    private int _state = 1;

    /// <summary>The kind of a gang. Those that keep nodes, may go on with fewer or were cut off half admitted are like no other.</summary>
    public GangKind Of(Gang gang)
    {
        if (gang.Begun || gang.KeepsNodes) return new GangKind();
        if (gang.Jobs.Count > 1) return Known(_together, $"{gang.Priority} {string.Join(' ', gang.Jobs.Select(job => Number(PartOf(job))))}");
        return gang.Jobs[0].Fewest < gang.Jobs[0].Nodes ? new GangKind() : Known(_alone, (PartOf(gang.Jobs[0]), gang.Priority));
    }

    /// <summary>One of the kind has to wait.</summary>
    public void Fail(GangKind kind) => kind.FailedAt = _state;

    /// <summary>Whether one of the kind had to wait and there is no more room since.</summary>
    public bool Fails(GangKind kind) => kind.FailedAt == _state;

    /// <summary>Somebody gave up more than another took: all kinds are looked at again.</summary>
    public void GrowRoom() => _state++;

    private static GangKind Known<TKey>(Dictionary<TKey, GangKind> kinds, TKey key)
        where TKey : notnull => kinds.TryGetValue(key, out var known) ? known : kinds[key] = new GangKind();

    private Part PartOf(GangJob job) => new(placer.Of(job), quotas.Of(job.Queue), job.Nodes, job.NeedsOneDomain);

    private int Number(Part part) => _numbers.TryGetValue(part, out var known) ? known : _numbers[part] = _numbers.Count;

    private readonly record struct Part(JobFits Fits, QueueUse Queue, int Nodes, bool OneDomain);
}
