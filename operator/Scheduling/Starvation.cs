namespace Trestle.Operator.Scheduling;

/// <summary>
/// Reserves nodes for who waited too long. Of those that could use the same nodes only the first in order has a reservation, so
/// that at most one gang of a pool makes the others wait. Who asks for more than the nodes could ever give reserves nothing.
/// </summary>
internal sealed class Starvation(PassInput input, Placer placer)
{
    private readonly bool[] _reserved = new bool[input.Snapshot.Nodes.Count];
    private readonly HashSet<JobFits> _sharing = [];
    private readonly Dictionary<JobFits, int> _tooMany = [];

    /// <summary>Whether the longest wait since then is over.</summary>
    public bool IsOver(DateTimeOffset? since) => since is { } time && input.Now - time >= input.StarvationTimeout;

    /// <summary>When it will be over; null for never.</summary>
    public DateTimeOffset? Begins(DateTime since) =>
        input.StarvationTimeout > TimeSpan.FromDays(3650) || since.Year > 9000 ? null : new DateTimeOffset(DateTime.SpecifyKind(since, DateTimeKind.Utc)) + input.StarvationTimeout;

    /// <summary>Reserves the nodes; null when it is not the gang's turn or it could never fit.</summary>
    public List<Placement>? Reserve(Gang gang)
    {
        if (!(Begins(gang.QueuedAt) <= input.Now)) return null;
        foreach (var job in gang.Jobs)
        {
            var fits = placer.Of(job);
            if (_tooMany.TryGetValue(fits, out var least) && job.Nodes >= least && gang.Jobs.Count == 1) return null;
            if (Shares(fits)) return null;
        }

        if (placer.Reserve(gang) is not { } placed)
        {
            if (gang.Jobs.Count == 1) _tooMany[placer.Of(gang.Jobs[0])] = gang.Jobs[0].Nodes;
            return null;
        }

        foreach (var node in gang.Jobs.SelectMany(job => placer.Of(job).Matching())) _reserved[node] = true;
        return placed;
    }

    private bool Shares(JobFits fits)
    {
        if (_sharing.Contains(fits)) return true;
        if (!fits.Matching().Any(node => _reserved[node])) return false;
        return _sharing.Add(fits);
    }
}
